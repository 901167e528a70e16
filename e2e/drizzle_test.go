package e2e

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDrizzleProxy has drizzle-orm work over its HTTP proxy driver: values of each of its
// kinds, joins, relations, an upsert, batches that hold and one that fails, a cascade.
func TestDrizzleProxy(t *testing.T) {
	c := newWrangler(t)
	id := c.create(t, "shop")
	var got map[string]any
	printed(t, c.node(t, "clients/drizzle_proxy.mjs", id).ok(t), &got)
	var want map[string]any
	if err := json.Unmarshal([]byte(`{
		"inserted": [
			{"id": 1, "email": "ann@example.com", "active": true, "score": 1.5, "born": "2001-02-03T04:05:06.789Z",
				"settings": {"theme": "dark", "size": 2}},
			{"id": 2, "email": "bob@example.com", "active": false, "score": null, "born": null, "settings": null}],
		"joined": [{"title": "third", "by": "bob@example.com"}, {"title": "second", "by": "ann@example.com"}],
		"nested": {"id": 1, "email": "ann@example.com", "active": true, "score": 1.5, "born": "2001-02-03T04:05:06.789Z",
			"settings": {"theme": "dark", "size": 2}, "posts": [{"title": "first"}, {"title": "second"}]},
		"upserted": [{"id": 2, "score": 3}],
		"failed": "UNIQUE constraint failed: users.email: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
		"batchFailed": "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)",
		"left": [{"title": "third"}],
		"none": null}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
