//go:build !js

package ond1_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

func schemaOf(t *testing.T, db *d1.DB) []string {
	t.Helper()
	all, err := d1.All[string](t.Context(), db, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOldTables opens tables that Mastra made before there were resourceId and archivedAt.
func TestOldTables(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	ctx := t.Context()
	_, err := db.Exec(ctx, `CREATE TABLE mastra_threads (id TEXT NOT NULL PRIMARY KEY, resourceId TEXT NOT NULL, title TEXT NOT NULL, metadata TEXT, createdAt TIMESTAMP NOT NULL, updatedAt TIMESTAMP NOT NULL);
		CREATE TABLE mastra_messages (id TEXT NOT NULL PRIMARY KEY, thread_id TEXT NOT NULL, content TEXT NOT NULL, role TEXT NOT NULL, type TEXT NOT NULL, createdAt TIMESTAMP NOT NULL);
		INSERT INTO mastra_threads VALUES ('t', 'r', '{"a":1}', NULL, '2026-01-01T00:00:00.000Z', '1970-01-01 00:00:00');
		INSERT INTO mastra_messages VALUES ('m', 't', 'a text of old', 'user', 'text', '2026-01-01T00:00:00.000Z')`)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, db, ond1.Config{Layout: ond1.LayoutMastra})
	no := false
	page, err := s.ListThreads(ctx, memory.ThreadQuery{Archived: &no})
	if err != nil || len(page.Threads) != 1 || page.Threads[0].Title != `{"a":1}` || page.Threads[0].ArchivedAt != nil || page.Threads[0].UpdatedAt.Unix() != 0 {
		t.Fatalf("%+v, error %v", page, err)
	}
	list, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t"}})
	if err != nil || len(list.Messages) != 1 || string(list.Messages[0].Content) != `"a text of old"` || list.Messages[0].Type != "text" || list.Messages[0].ResourceID != "" {
		t.Fatalf("%+v, error %v", list, err)
	}
	version, err := d1.First[int](ctx, db, "SELECT version FROM memory_schema WHERE layout = 'mastra'")
	if err != nil || version != 1 {
		t.Errorf("version %d, error %v", version, err)
	}
	before := schemaOf(t, db)
	if !strings.Contains(strings.Join(before, "\n"), "(\"thread_id\", \"createdAt\")") {
		t.Errorf("there is no index: %q", before)
	}
	// A version that is not known as made is looked at again, and nothing changes.
	if _, err := db.Exec(ctx, "UPDATE memory_schema SET version = 0"); err != nil {
		t.Fatal(err)
	}
	if err := open(t, db, ond1.Config{Layout: ond1.LayoutMastra}).Init(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, schemaOf(t, db)); diff != "" {
		t.Error(diff)
	}
	// Both layouts in one database, and a table that is something else.
	if err := open(t, db, ond1.Config{}).Init(ctx); err != nil {
		t.Error(err)
	}
	if _, err := db.Exec(ctx, "CREATE TABLE x_threads (a)"); err != nil {
		t.Fatal(err)
	}
	if err := open(t, db, ond1.Config{TablePrefix: "x_"}).Init(ctx); err == nil || !strings.Contains(err.Error(), "x_threads exists") {
		t.Errorf("error %v", err)
	}
}

// TestRacingStarts starts many programs at once, on tables that lack a column.
func TestRacingStarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "race.db")
	db := database(t, path)
	if _, err := db.Exec(t.Context(), `CREATE TABLE mastra_messages (id TEXT NOT NULL PRIMARY KEY, thread_id TEXT NOT NULL, content TEXT NOT NULL, role TEXT NOT NULL, type TEXT NOT NULL, createdAt TIMESTAMP NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		s := open(t, db, ond1.Config{Layout: ond1.LayoutMastra})
		wg.Go(func() {
			_, errs[i] = s.SaveThread(t.Context(), memory.Thread{ID: fmt.Sprint(i), ResourceID: "r"})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestLargeMessages(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	ctx := t.Context()
	large := func(id string, size int, metadata string) memory.Message {
		m := say(id, "t", 1)
		m.Content = []byte(`{"format":2,"parts":[{"type":"file","data":"` + strings.Repeat("é", size/2) + `"}],"metadata":` + metadata + `}`)
		return m
	}
	refusing := open(t, db, ond1.Config{})
	if _, err := refusing.SaveThread(ctx, memory.Thread{ID: "t", ResourceID: "r"}); err != nil {
		t.Fatal(err)
	}
	_, err := refusing.SaveMessages(ctx, []memory.Message{say("small", "t", 0), large("m", 2_000_000, "{}")})
	tooLarge, ok := errors.AsType[*memory.TooLargeError](err)
	if !ok || tooLarge.Limit != ond1.MaxRowBytes || !strings.Contains(err.Error(), "LargeChunk") {
		t.Fatalf("error %v", err)
	}
	if got, err := refusing.GetMessages(ctx, []string{"small", "m"}); err != nil || len(got) != 0 {
		t.Errorf("%d messages, error %v", len(got), err)
	}
	// Just under the limit, and many that are long together.
	almost := large("almost", 1_990_000, "{}")
	var long []memory.Message
	for i := range 5 {
		long = append(long, large(fmt.Sprint("long", i), 600_000, "{}"))
	}
	if _, err := refusing.SaveMessages(ctx, append(long, almost)); err != nil {
		t.Fatal(err)
	}
	got, err := refusing.GetMessages(ctx, []string{"almost", "long0", "long4"})
	if err != nil || len(got) != 3 || string(got[2].Content) != string(almost.Content) {
		t.Fatalf("%d messages, error %v", len(got), err)
	}

	s := open(t, db, ond1.Config{Large: ond1.LargeChunk})
	first := large("m", 5_000_000, `{"k":1}`)
	if _, err := s.SaveMessages(ctx, []memory.Message{first, say("next", "t", 2)}); err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		// Whoever refuses such messages reads them all the same.
		page, err := refusing.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t"}, Metadata: memory.Object{"k": 1}, PerPage: 1})
		if err != nil || len(page.Messages) != 1 || string(page.Messages[0].Content) != want {
			t.Fatalf("%d messages, error %v", len(page.Messages), err)
		}
	}
	check(string(first.Content))
	again := large("m", 3_000_000, `{"k":1}`)
	if _, err := s.SaveMessages(ctx, []memory.Message{again}); err != nil {
		t.Fatal(err)
	}
	check(string(again.Content))
	updated, err := s.UpdateMessages(ctx, []memory.MessageUpdate{{ID: "m", Role: "tool", Content: []byte(`{"metadata":{"new":2}}`)}, {ID: "next", Content: []byte(`{"x":1}`)}})
	if err != nil || len(updated) != 2 || updated[0].Role != "tool" {
		t.Fatalf("%d messages, error %v", len(updated), err)
	}
	want := strings.Replace(string(again.Content), `{"k":1}`, `{"k":1,"new":2}`, 1)
	check(want)
	clone, err := s.CloneThread(ctx, memory.CloneOptions{SourceID: "t", MessageIDs: []string{"m"}})
	if err != nil || len(clone.Messages) != 1 || string(clone.Messages[0].Content) != want {
		t.Fatalf("%d messages, error %v", len(clone.Messages), err)
	}
	if _, err := s.SaveMessages(ctx, []memory.Message{say("m", "t", 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteThread(ctx, clone.Thread.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := d1.First[int](ctx, db, "SELECT count(*) FROM message_chunks"); err != nil || n != 0 {
		t.Errorf("%d chunks are left, error %v", n, err)
	}
}
