package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestUpperCaseID names a database by its ID in capitals, which is the same ID.
func TestUpperCaseID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		var out, words strings.Builder
		if code := Run(t.Context(), append(args, "--data", dir), strings.NewReader(""), &out, &words, func(string) string { return "" }); code != 0 {
			t.Fatalf("%v: exit code %d, %s", args, code, &words)
		}
		return out.String()
	}
	var db struct{ UUID string }
	if err := json.Unmarshal([]byte(run("d1", "create", "app", "--json")), &db); err != nil {
		t.Fatal(err)
	}
	id := strings.ToUpper(db.UUID)
	run("d1", "execute", id, "--command", "SELECT 1")
	run("d1", "info", id)
	run("d1", "delete", id, "-y")
}
