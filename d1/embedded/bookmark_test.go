package embedded_test

import (
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// FuzzBookmark brings any text as a bookmark: it is one of this database's, or it is refused
// before anything runs.
func FuzzBookmark(f *testing.F) {
	backend, err := embedded.Open(embedded.Config{ID: "fuzz"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { backend.Close() })
	db := d1.New(backend)
	must(f, db, "CREATE TABLE t (a)")
	session := db.WithSession(d1.FirstPrimary)
	if _, err := session.Run(f.Context(), "SELECT 1"); err != nil {
		f.Fatal(err)
	}
	own := string(session.Bookmark())
	id := own[len(own)-32:]
	for _, text := range []string{
		own, "", string(d1.FirstPrimary), string(d1.FirstUnconstrained), strings.ToUpper(own), own + "0", own[1:], "ffffffff-ffffffff-ffffffff-" + id,
		strings.ReplaceAll(own, "-", "0"), "00000000-00000000-00000000-" + strings.Repeat("0", 32), "+0000000-00000000-00000000-" + id, "\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		results, err := backend.Do(t.Context(), d1.Request{Bookmark: d1.Bookmark(text), Statements: []d1.Statement{{SQL: "INSERT INTO t VALUES (1)"}}})
		if err != nil {
			if !d1.Unsent(err) || len(err.Error()) > 200 {
				t.Errorf("%q: error %v", text, err)
			}
			return
		}
		results.Close()
		if constraint := d1.Bookmark(text).IsConstraint(); !constraint && (!strings.HasSuffix(text, "-"+id) || len(text) != len(own)) {
			t.Errorf("%q was accepted", text)
		}
		if after := results.Bookmark(); !after.Valid() || string(after[26:]) != "-"+id {
			t.Errorf("the bookmark %q came back", after)
		}
	})
}
