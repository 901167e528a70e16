package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTimeTravel undoes a migration, and that again, in a data folder.
func TestTimeTravel(t *testing.T) {
	data, dir := filepath.Join(t.TempDir(), "data"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "0001_a.sql"), []byte("CREATE TABLE a (b);"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := Run(t.Context(), append(args, "--data", data), strings.NewReader(""), &out, &errs, os.Getenv); code != 0 {
			t.Fatalf("%q: code %d\n%s", args, code, errs.String())
		}
		return out.String(), errs.String()
	}
	tables := func() bool {
		t.Helper()
		out, _ := run("d1", "execute", "shop", "--json", "--command", "SELECT name FROM sqlite_master WHERE name = 'a'")
		return strings.Contains(out, `"name": "a"`)
	}
	run("d1", "create", "shop")
	moment := time.Now().UTC()
	_, stderr := run("d1", "migrations", "apply", "shop", "--dir", dir)
	_, command, _ := strings.Cut(stderr, "  skylite ")
	command, _, _ = strings.Cut(command, "\n")
	if !tables() {
		t.Fatal("nothing was migrated")
	}
	out, stderr := run(strings.Fields(command)...)
	var done struct {
		Bookmark, Message string
		Previous          string `json:"previous_bookmark"`
	}
	if err := json.Unmarshal([]byte(out), &done); err != nil || done.Message != "Restored successfully" ||
		!strings.Contains(stderr, "To undo it, restore to the bookmark "+done.Previous) {
		t.Errorf("it prints %s and %s", out, stderr)
	}
	if tables() {
		t.Error("the migration is still there")
	}
	if run("d1", "time-travel", "restore", "shop", "--bookmark", done.Previous, "-y"); !tables() {
		t.Error("the migration did not come back")
	}
	if run("d1", "time-travel", "restore", "shop", "--timestamp", moment.Format(time.RFC3339Nano)); tables() {
		t.Error("by time, the migration is still there")
	}
}
