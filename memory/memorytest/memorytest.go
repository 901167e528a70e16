// Package memorytest has the tests that every [memory.Store] passes.
//
//	func TestConformance(t *testing.T) {
//		memorytest.Run(t, memorytest.Options{}, func(t *testing.T) memory.Store { … })
//	}
//
// It imports no place, and so runs inside a Worker too.
package memorytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/memory"
)

// Options say what a place cannot do. The zero value is a place that can do all.
type Options struct {
	// LastWriteWins says that of concurrent changes of one thread, or of one resource, some
	// may be lost, as in Workers KV.
	LastWriteWins bool
	// TextContent says that a content must be an object, an array or a text, as in Mastra's
	// tables.
	TextContent bool
}

// Run runs the conformance suite. open returns a new, empty store, and sees to its
// closing.
func Run(t *testing.T, opts Options, open func(t *testing.T) memory.Store) {
	for _, part := range []struct {
		name string
		run  func(t *testing.T, s suite)
	}{
		{"Threads", testThreads},
		{"ThreadUpdates", testThreadUpdates},
		{"ThreadRules", testThreadRules},
		{"ThreadDelete", testThreadDelete},
		{"ThreadPages", testThreadPages},
		{"ThreadOrder", testThreadOrder},
		{"ThreadFilters", testThreadFilters},
		{"Archive", testArchive},
		{"Merges", testMerges},
		{"Clone", testClone},
		{"Messages", testMessages},
		{"Content", testContent},
		{"SaveRules", testSaveRules},
		{"SaveAgain", testSaveAgain},
		{"Order", testOrder},
		{"List", testList},
		{"Pages", testPages},
		{"Include", testInclude},
		{"IncludeAlone", testIncludeAlone},
		{"IncludeScope", testIncludeScope},
		{"Dates", testDates},
		{"Cursors", testCursors},
		{"MessageFilters", testMessageFilters},
		{"ListOfResource", testListOfResource},
		{"ByIDs", testByIDs},
		{"Updates", testUpdates},
		{"Deletes", testDeletes},
		{"Replace", testReplace},
		{"Many", testMany},
		{"Writers", testWriters},
		{"Metadata", testMetadata},
		{"Contexts", testContexts},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, suite{T: t, opts: opts, Store: open(t)})
		})
	}
}

// suite is a store under test.
type suite struct {
	*testing.T
	memory.Store
	opts Options
}

// base is when the tests' messages begin.
var base = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// at is a number of seconds after base.
func at(seconds int) time.Time { return base.Add(time.Duration(seconds) * time.Second) }

func (s suite) thread(id, resource string) memory.Thread {
	s.Helper()
	t, err := s.SaveThread(s.Context(), memory.Thread{ID: id, ResourceID: resource, Title: "Test Thread",
		Metadata: memory.Object{"key": "value"}})
	if err != nil {
		s.Fatalf("save thread %q: %v", id, err)
	}
	return t
}

func (s suite) getThread(id string) memory.Thread {
	s.Helper()
	t, err := s.GetThread(s.Context(), id)
	if err != nil {
		s.Fatalf("get thread %q: %v", id, err)
	}
	return t
}

// message is one that says its id, seconds after base.
func message(id, thread, resource string, seconds int) memory.Message {
	return memory.Message{ID: id, ThreadID: thread, ResourceID: resource, Role: "user",
		CreatedAt: at(seconds), Content: memory.TextContent(id)}
}

func (s suite) save(messages ...memory.Message) []memory.Message {
	s.Helper()
	saved, err := s.SaveMessages(s.Context(), messages)
	if err != nil {
		s.Fatalf("save messages: %v", err)
	}
	return saved
}

// fill saves n messages m1, m2, … a second apart.
func (s suite) fill(thread, resource string, n int) {
	s.Helper()
	var messages []memory.Message
	for i := 1; i <= n; i++ {
		messages = append(messages, message(fmt.Sprintf("m%d", i), thread, resource, i))
	}
	s.save(messages...)
}

func (s suite) list(q memory.MessageQuery) memory.MessagePage {
	s.Helper()
	page, err := s.ListMessages(s.Context(), q)
	if err != nil {
		s.Fatalf("list %+v: %v", q, err)
	}
	if page.HasMore != (page.Cursor != "") && q.PerPage != memory.None {
		s.Errorf("hasMore is %v, and the cursor %q", page.HasMore, page.Cursor)
	}
	return page
}

func ids(messages []memory.Message) string {
	all := make([]string, len(messages))
	for i, m := range messages {
		all[i] = m.ID
	}
	return strings.Join(all, " ")
}

// wantIDs checks which messages there are, in which order.
func (s suite) wantIDs(got []memory.Message, want string) {
	s.Helper()
	if ids(got) != want {
		s.Errorf("messages %q; want %q", ids(got), want)
	}
}

// wantPage checks a page, the total first.
func (s suite) wantPage(q memory.MessageQuery, total int, more bool, want string) memory.MessagePage {
	s.Helper()
	q.Total = true
	page := s.list(q)
	s.wantIDs(page.Messages, want)
	if page.Total != total || page.HasMore != more {
		s.Errorf("total %d, hasMore %v; want %d, %v (of %q)", page.Total, page.HasMore, total, more, want)
	}
	// Without a total all else is the same.
	q.Total = false
	again := s.list(q)
	if q.PerPage != memory.None && q.PerPage != memory.All && again.Total != -1 {
		s.Errorf("the total %d was not asked for", again.Total)
	}
	if again.Total = page.Total; !cmp.Equal(again, page) {
		s.Errorf("without a total the page is another: %s", cmp.Diff(page, again))
	}
	return page
}

func (s suite) same(what string, got, want any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (s suite) wantErr(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: error %v; want one that is %q", what, err, want)
	}
}

func ptr[T any](v T) *T { return &v }

func raw(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(format, args...))
}
