//go:build !js

package ond1_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

// counter is a database that counts requests and the rows that are read.
type counter struct {
	inner    d1.Querier
	requests atomic.Int64
	rows     atomic.Int64
}

func count(inner d1.Querier) *counter { return &counter{inner: inner} }

func (c *counter) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	c.requests.Add(1)
	results, err := c.inner.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	return d1.NewResults(&countingCursor{results, c, false}), nil
}

type countingCursor struct {
	*d1.Results
	c      *counter
	inside bool
}

func (k *countingCursor) NextResult() bool {
	if k.inside {
		k.c.rows.Add(k.Results.Meta().RowsRead)
	}
	k.inside = k.Results.NextResult()
	return k.inside
}

// spent returns what a call costs: requests, and rows read.
func (c *counter) spent(t testing.TB, call func() error) (requests, rows int64) {
	t.Helper()
	r, n := c.requests.Load(), c.rows.Load()
	if err := call(); err != nil {
		t.Fatal(err)
	}
	return c.requests.Load() - r, c.rows.Load() - n
}

func say(id, thread string, n int) memory.Message {
	return memory.Message{ID: id, ThreadID: thread, ResourceID: "r", Role: "user",
		CreatedAt: time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC), Content: memory.TextContent(id)}
}

func many(thread string, from, n int) []memory.Message {
	messages := make([]memory.Message, n)
	for i := range messages {
		messages[i] = say(fmt.Sprintf("%s-%07d", thread, from+i), thread, from+i)
	}
	return messages
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for _, layout := range []ond1.Layout{ond1.LayoutDefault, ond1.LayoutMastra} {
		t.Run(string(layout), func(t *testing.T) {
			t.Parallel()
			db := count(database(t, ""))
			s := open(t, db, ond1.Config{Layout: layout})
			ctx := t.Context()
			if err := s.Init(ctx); err != nil {
				t.Fatal(err)
			}
			if n, _ := db.spent(t, func() error { return open(t, db, ond1.Config{Layout: layout}).Init(ctx) }); n != 1 {
				t.Errorf("to find that the tables are there took %d requests", n)
			}
			include := []memory.Include{{ID: "t-0000003", Previous: 2, Next: 2}, {ID: "t-0000009", Previous: 1}, {ID: "t-0000011"},
				{ID: "t-0000012"}, {ID: "t-0000013"}, {ID: "t-0000014"}, {ID: "t-0000015", Next: 4}}
			var ids []string
			for _, m := range many("t", 0, 200) {
				ids = append(ids, m.ID)
			}
			for _, op := range []struct {
				name string
				call func() error
			}{
				{"saveThread", func() error { _, err := s.SaveThread(ctx, memory.Thread{ID: "t", ResourceID: "r"}); return err }},
				{"getThread", func() error { _, err := s.GetThread(ctx, "t"); return err }},
				{"updateThread", func() error {
					_, err := s.UpdateThread(ctx, "t", memory.ThreadUpdate{Metadata: memory.Object{"a": 1}})
					return err
				}},
				{"listThreads with a total", func() error { _, err := s.ListThreads(ctx, memory.ThreadQuery{Total: true}); return err }},
				{"saveMessages(20)", func() error { _, err := s.SaveMessages(ctx, many("t", 0, 20)); return err }},
				{"saveMessages(200)", func() error { _, err := s.SaveMessages(ctx, many("t", 0, 200)); return err }},
				{"listMessages", func() error {
					_, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t"}, Total: true})
					return err
				}},
				{"listMessages with includes", func() error {
					_, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t"}, Include: include, Total: true})
					return err
				}},
				{"getMessages(200)", func() error { _, err := s.GetMessages(ctx, ids); return err }},
				{"updateMessages", func() error {
					_, err := s.UpdateMessages(ctx, []memory.MessageUpdate{{ID: ids[0], Role: "x"}, {ID: ids[1], Content: []byte(`{"a":1}`)}})
					return err
				}},
				{"cloneThread", func() error { _, err := s.CloneThread(ctx, memory.CloneOptions{SourceID: "t"}); return err }},
				{"deleteMessages(150)", func() error { return s.DeleteMessages(ctx, ids[:150]) }},
				{"saveMetadata", func() error { _, err := s.SaveMetadata(ctx, memory.Metadata{ResourceID: "r"}); return err }},
				{"updateMetadata", func() error { _, err := s.UpdateMetadata(ctx, "r", memory.MetadataUpdate{}); return err }},
				{"getMetadata", func() error { _, err := s.GetMetadata(ctx, "r"); return err }},
				{"deleteThread", func() error { return s.DeleteThread(ctx, "t") }},
			} {
				if n, _ := db.spent(t, op.call); n != 1 {
					t.Errorf("%s took %d requests", op.name, n)
				}
			}
		})
	}
}

// TestLongThread reads of a long thread only what it returns.
func TestLongThread(t *testing.T) {
	t.Parallel()
	db := count(database(t, ""))
	s := open(t, db, ond1.Config{})
	ctx := t.Context()
	const n = 100_000
	for i := range 3 {
		if _, err := s.SaveThread(ctx, memory.Thread{ID: string(rune('a' + i)), ResourceID: "r"}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < n; i += 20_000 {
		if _, err := s.SaveMessages(ctx, many("b", i, 20_000)); err != nil {
			t.Fatal(err)
		}
	}
	of := memory.MessageQuery{ThreadIDs: []string{"b"}}
	with := func(f func(*memory.MessageQuery)) func() error {
		q := of
		f(&q)
		return func() error {
			page, err := s.ListMessages(ctx, q)
			if err == nil && len(page.Messages) == 0 {
				t.Error("there are no messages")
			}
			return err
		}
	}
	middle, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"b"}, PerPage: 1, Start: time.Date(2026, 1, 1, 14, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		most int64
		call func() error
	}{
		{"the first page", 200, with(func(*memory.MessageQuery) {})},
		{"the last 20", 100, func() error { _, err := memory.Last(ctx, s, "b", 20); return err }},
		{"a page in the middle", 200, with(func(q *memory.MessageQuery) { q.Cursor = middle.Cursor })},
		{"backwards from there", 200, with(func(q *memory.MessageQuery) { q.Cursor, q.Order = middle.Cursor, memory.Descending })},
		{"a page of a resource", 200, with(func(q *memory.MessageQuery) { q.ThreadIDs, q.ResourceID = nil, "r" })},
		{"a page of the thread and the resource", 200, with(func(q *memory.MessageQuery) { q.ResourceID = "r" })},
		{"a range of time", 200, with(func(q *memory.MessageQuery) { q.Start = time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC) })},
		{"includes", 200, with(func(q *memory.MessageQuery) {
			q.PerPage = memory.None
			q.Include = []memory.Include{{ID: "b-0050000", Previous: 5, Next: 5}, {ID: "b-0000001", Previous: 5, Next: 5}, {ID: "b-0099999", Previous: 5, Next: 5}}
		})},
		{"more messages", 200, func() error { _, err := s.SaveMessages(ctx, many("b", n, 20)); return err }},
		{"changes", 100, func() error {
			_, err := s.UpdateMessages(ctx, []memory.MessageUpdate{{ID: "b-0050000", Role: "x"}})
			return err
		}},
		{"threads", 100, func() error {
			_, err := s.ListThreads(ctx, memory.ThreadQuery{ResourceID: "r", OrderBy: memory.ByUpdatedAt})
			return err
		}},
	} {
		if _, rows := db.spent(t, c.call); rows > c.most {
			t.Errorf("%s read %d rows; want at most %d", c.name, rows, c.most)
		} else {
			t.Logf("%s read %d rows", c.name, rows)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	for name, cfg := range map[string]ond1.Config{
		"a prefix that is unsafe": {TablePrefix: "a-b"},
		"a prefix with a quote":   {TablePrefix: `x"; DROP TABLE t; --`},
		"no such layout":          {Layout: "x"},
		"no such way":             {Large: "x"},
		"chunks for Mastra":       {Layout: ond1.LayoutMastra, Large: ond1.LargeChunk},
	} {
		if _, err := ond1.New(db, cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := ond1.New(nil, ond1.Config{}); err == nil {
		t.Error("no database is accepted")
	}
	s := open(t, db, ond1.Config{DisableInit: true})
	if _, err := s.GetThread(t.Context(), "t"); err == nil || !strings.Contains(err.Error(), "no such table: threads") {
		t.Errorf("error %v", err)
	}
}
