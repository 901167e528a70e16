package memorytest

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/memory"
)

func testThreads(t *testing.T, s suite) {
	_, err := s.GetThread(t.Context(), "nobody")
	s.wantErr("an unknown thread", err, memory.ErrNotFound)
	s.wantErr("an unknown thread", err, fs.ErrNotExist)

	archived := base.Add(time.Hour)
	for _, want := range []memory.Thread{
		{ID: "1346362547862769664", ResourceID: "532374164040974346", Title: "numbers", CreatedAt: base.Add(123 * time.Millisecond), UpdatedAt: at(5)},
		{ID: "no title", ResourceID: "r", Title: "", CreatedAt: base, UpdatedAt: base},
		{ID: "quotes", ResourceID: "r", Title: `It's "quoted" 🎉 \ %`, CreatedAt: base, UpdatedAt: base, ArchivedAt: &archived},
		{ID: "json", ResourceID: `{"r":1}`, Title: `{"a":1}`, CreatedAt: base, UpdatedAt: base},
		{ID: "odd: %_/'\"\\;--\n?", ResourceID: "a:b", Title: "odd", CreatedAt: base, UpdatedAt: base},
		{ID: "deep", ResourceID: "r", Title: "deep", CreatedAt: base, UpdatedAt: base, Metadata: memory.Object{
			"list": []any{map[string]any{"n": 1.5}, nil, "x"}, "null": nil, "": "no key", `q"\.$[0]`: true, "0.1+0.2": 0.30000000000000004}},
	} {
		saved, err := s.SaveThread(t.Context(), want)
		if err != nil {
			t.Errorf("%q: %v", want.ID, err)
			continue
		}
		s.same("saved", saved, want)
		s.same("read", s.getThread(want.ID), want)
	}

	// Once more: all of it is replaced.
	again := memory.Thread{ID: "quotes", ResourceID: "r2", Title: "again", CreatedAt: at(1), UpdatedAt: at(2)}
	if _, err := s.SaveThread(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	s.same("replaced", s.getThread("quotes"), again)

	if _, err := memory.ThreadOf(t.Context(), s.Store, "quotes", "r2"); err != nil {
		t.Error(err)
	}
	for _, resource := range []string{"r", ""} {
		_, err = memory.ThreadOf(t.Context(), s.Store, "quotes", resource)
		s.wantErr("a thread of another resource", err, memory.ErrNotFound)
	}
	if fresh := s.thread("fresh", "r"); time.Since(fresh.CreatedAt) > time.Hour || fresh.CreatedAt.Location() != time.UTC {
		t.Errorf("created at %v", fresh.CreatedAt)
	}
}

func testThreadUpdates(t *testing.T, s suite) {
	before := s.thread("t", "r")
	got, err := s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{Title: ptr("new"), Metadata: memory.Object{"more": []any{1.0}, `k"`: nil}})
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.Title, want.UpdatedAt = "new", got.UpdatedAt
	want.Metadata = memory.Object{"key": "value", "more": []any{1.0}, `k"`: nil}
	s.same("updated", got, want)
	s.same("read", s.getThread("t"), got)
	if !got.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("updatedAt went from %v to %v", before.UpdatedAt, got.UpdatedAt)
	}
	page, err := s.ListThreads(t.Context(), memory.ThreadQuery{ResourceID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	s.same("listed", page.Threads, []memory.Thread{got})

	// The title alone, and the metadata alone; a value replaces the whole one before.
	got, err = s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{Title: ptr("")})
	if err != nil || got.Title != "" || len(got.Metadata) != 3 {
		t.Errorf("%+v, error %v", got, err)
	}
	got, err = s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{Metadata: memory.Object{"more": memory.Object{"x": 1.0}}})
	if err != nil {
		t.Fatal(err)
	}
	s.same("metadata", got.Metadata, memory.Object{"key": "value", "more": map[string]any{"x": 1.0}, `k"`: nil})

	// Nothing at all.
	same, err := s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{})
	if err != nil {
		t.Fatal(err)
	}
	s.same("an empty update", same, got)

	big := "12345678901234567890123"
	if _, err = s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{Metadata: memory.Object{"big": raw("%s", big), "int": int64(9007199254740993)}}); err != nil {
		t.Fatal(err)
	}
	if _, err = s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{Metadata: memory.Object{"other": 1}}); err != nil {
		t.Fatal(err)
	}
	if m := s.getThread("t").Metadata; fmt.Sprintf("%v %v", m["big"], m["int"]) != big+" 9007199254740993" {
		t.Errorf("numbers changed: %v %v", m["big"], m["int"])
	}
	_, err = s.UpdateThread(t.Context(), "nobody", memory.ThreadUpdate{Title: ptr("x")})
	s.wantErr("an unknown thread", err, memory.ErrNotFound)
}

func testThreadRules(t *testing.T, s suite) {
	for name, thread := range map[string]memory.Thread{
		"no id":         {ResourceID: "r"},
		"blank id":      {ID: "  ", ResourceID: "r"},
		"no resource":   {ID: "t"},
		"a NUL":         {ID: "t\x00", ResourceID: "r"},
		"no UTF-8":      {ID: "t\xff", ResourceID: "r"},
		"a title so":    {ID: "t", ResourceID: "r", Title: "\xff"},
		"no JSON":       {ID: "t", ResourceID: "r", Metadata: memory.Object{"f": func() {}}},
		"a year so far": {ID: "t", ResourceID: "r", CreatedAt: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := s.SaveThread(t.Context(), thread)
		s.wantErr(name, err, memory.ErrInvalid)
	}
	_, err := s.GetThread(t.Context(), "")
	s.wantErr("get", err, memory.ErrInvalid)
	_, err = s.UpdateThread(t.Context(), "", memory.ThreadUpdate{})
	s.wantErr("update", err, memory.ErrInvalid)
	s.wantErr("delete", s.DeleteThread(t.Context(), ""), memory.ErrInvalid)
	for name, q := range map[string]memory.ThreadQuery{
		"a negative page": {Page: -1},
		"a negative size": {PerPage: -5},
		"a page of all":   {Page: 1, PerPage: memory.All},
		"a large page":    {Page: 1 << 60},
		"a strange key":   {Metadata: memory.Object{"a'b": 1}},
		"a key of JS":     {Metadata: memory.Object{"__proto__": 1}},
		"a long key":      {Metadata: memory.Object{strings.Repeat("k", 129): 1}},
		"an object":       {Metadata: memory.Object{"k": memory.Object{}}},
		"a list":          {Metadata: memory.Object{"k": []int{1}}},
	} {
		_, err := s.ListThreads(t.Context(), q)
		s.wantErr(name, err, memory.ErrInvalid)
	}
	if page, err := s.ListThreads(t.Context(), memory.ThreadQuery{Total: true}); err != nil || page.Total != 0 || len(page.Threads) != 0 {
		t.Errorf("something was stored: %+v, error %v", page, err)
	}
}

func testThreadDelete(t *testing.T, s suite) {
	s.thread("t", "r")
	s.thread("other", "r")
	s.fill("t", "r", 5)
	s.save(message("o", "other", "r", 1))
	for range 2 { // the second time there is nothing to delete
		if err := s.DeleteThread(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.GetThread(t.Context(), "t")
	s.wantErr("a deleted thread", err, memory.ErrNotFound)
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 0, false, "")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"other"}}, 1, false, "o")
	s.wantPage(memory.MessageQuery{ResourceID: "r"}, 1, false, "o")
	got, err := s.GetMessages(t.Context(), []string{"m1", "m5", "o"})
	if err != nil {
		t.Fatal(err)
	}
	s.wantIDs(got, "o")
	// Its name is free.
	s.thread("t", "r")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 0, false, "")
}

func (s suite) listThreads(q memory.ThreadQuery) memory.ThreadPage {
	s.Helper()
	page, err := s.ListThreads(s.Context(), q)
	if err != nil {
		s.Fatalf("list %+v: %v", q, err)
	}
	return page
}

func threadIDs(threads []memory.Thread) string {
	all := make([]string, len(threads))
	for i, t := range threads {
		all[i] = t.ID
	}
	return strings.Join(all, " ")
}

func (s suite) wantThreads(q memory.ThreadQuery, total int, more bool, want string) {
	s.Helper()
	q.Total = true
	page := s.listThreads(q)
	if got := threadIDs(page.Threads); got != want || page.Total != total || page.HasMore != more || page.Page != q.Page {
		s.Errorf("threads %q, total %d, hasMore %v; want %q, %d, %v", got, page.Total, page.HasMore, want, total, more)
	}
	if q.PerPage != 0 && page.PerPage != q.PerPage {
		s.Errorf("perPage %d; want %d", page.PerPage, q.PerPage)
	}
}

func testThreadPages(t *testing.T, s suite) {
	s.wantThreads(memory.ThreadQuery{ResourceID: "r", PerPage: 10}, 0, false, "")
	for i := range 17 {
		if _, err := s.SaveThread(t.Context(), memory.Thread{ID: fmt.Sprintf("t%02d", i), ResourceID: "r", CreatedAt: at(i), UpdatedAt: at(i)}); err != nil {
			t.Fatal(err)
		}
	}
	s.thread("other", "r2")
	s.wantThreads(memory.ThreadQuery{ResourceID: "r", PerPage: 7}, 17, true, "t16 t15 t14 t13 t12 t11 t10")
	s.wantThreads(memory.ThreadQuery{ResourceID: "r", PerPage: 7, Page: 2}, 17, false, "t02 t01 t00")
	s.wantThreads(memory.ThreadQuery{ResourceID: "r", PerPage: 7, Page: 3}, 17, false, "")
	s.wantThreads(memory.ThreadQuery{ResourceID: "r", PerPage: 17}, 17, false, "t16 t15 t14 t13 t12 t11 t10 t09 t08 t07 t06 t05 t04 t03 t02 t01 t00")
	s.wantThreads(memory.ThreadQuery{ResourceID: "r", PerPage: memory.None}, 0, false, "")
	s.wantThreads(memory.ThreadQuery{ResourceID: "r2"}, 1, false, "other")
	if page := s.listThreads(memory.ThreadQuery{ResourceID: "r"}); page.Total != -1 || page.PerPage != 100 || len(page.Threads) != 17 {
		t.Errorf("%d threads, total %d, perPage %d", len(page.Threads), page.Total, page.PerPage)
	}
	all := s.listThreads(memory.ThreadQuery{PerPage: memory.All})
	if len(all.Threads) != 18 || all.Total != 18 || all.HasMore || all.PerPage != memory.All {
		t.Errorf("all: %d threads, total %d, hasMore %v", len(all.Threads), all.Total, all.HasMore)
	}
}

func testThreadOrder(t *testing.T, s suite) {
	for i, updated := range []int{5, 1, 4, 2, 3} { // by updatedAt: t2 t4 t5 t3 t1
		category := []any{"a", "b"}[i%2]
		if _, err := s.SaveThread(t.Context(), memory.Thread{ID: fmt.Sprintf("t%d", i+1), ResourceID: "r",
			CreatedAt: at(i), UpdatedAt: at(updated * 10), Metadata: memory.Object{"c": category}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		q    memory.ThreadQuery
		want string
	}{
		{"default", memory.ThreadQuery{}, "t5 t4 t3 t2 t1"},
		{"created ascending", memory.ThreadQuery{OrderBy: memory.ByCreatedAt, Order: memory.Ascending}, "t1 t2 t3 t4 t5"},
		{"created descending", memory.ThreadQuery{OrderBy: memory.ByCreatedAt, Order: memory.Descending}, "t5 t4 t3 t2 t1"},
		{"updated ascending", memory.ThreadQuery{OrderBy: memory.ByUpdatedAt, Order: memory.Ascending}, "t2 t4 t5 t3 t1"},
		{"updated descending", memory.ThreadQuery{OrderBy: memory.ByUpdatedAt, Order: memory.Descending}, "t1 t3 t5 t4 t2"},
		{"field alone, created", memory.ThreadQuery{OrderBy: memory.ByCreatedAt}, "t5 t4 t3 t2 t1"},
		{"field alone, updated", memory.ThreadQuery{OrderBy: memory.ByUpdatedAt}, "t1 t3 t5 t4 t2"},
		{"direction alone, ascending", memory.ThreadQuery{Order: memory.Ascending}, "t1 t2 t3 t4 t5"},
		{"direction alone, descending", memory.ThreadQuery{Order: memory.Descending}, "t5 t4 t3 t2 t1"},
		{"unknown words", memory.ThreadQuery{OrderBy: "x", Order: "y"}, "t5 t4 t3 t2 t1"},
		{"of a resource", memory.ThreadQuery{ResourceID: "r"}, "t5 t4 t3 t2 t1"},
		{"of a resource, ascending", memory.ThreadQuery{ResourceID: "r", Order: memory.Ascending}, "t1 t2 t3 t4 t5"},
		{"with a filter", memory.ThreadQuery{Metadata: memory.Object{"c": "a"}, OrderBy: memory.ByUpdatedAt}, "t1 t3 t5"},
	} {
		if got := threadIDs(s.listThreads(c.q).Threads); got != c.want {
			t.Errorf("%s: %s; want %s", c.name, got, c.want)
		}
		if c.q.PerPage = 2; c.q.Metadata != nil {
			continue
		}
		var pages []memory.Thread
		for c.q.Page = range 3 {
			pages = append(pages, s.listThreads(c.q).Threads...)
		}
		if got := threadIDs(pages); got != c.want {
			t.Errorf("%s, in pages: %s; want %s", c.name, got, c.want)
		}
	}
	for i := range 3 {
		if _, err := s.SaveThread(t.Context(), memory.Thread{ID: fmt.Sprint("same", i), ResourceID: "same", CreatedAt: base, UpdatedAt: base}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for page := range 3 {
		for _, thread := range s.listThreads(memory.ThreadQuery{ResourceID: "same", PerPage: 1, Page: page}).Threads {
			seen[thread.ID] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("of three threads of one time, pages show %v", seen)
	}
}

func testThreadFilters(t *testing.T, s suite) {
	for i, thread := range []memory.Thread{
		{ID: "t1", ResourceID: "r1", Metadata: memory.Object{"category": "support", "priority": "high", "status": "open"}},
		{ID: "t2", ResourceID: "r1", Metadata: memory.Object{"category": "support", "priority": "low", "status": "closed"}},
		{ID: "t3", ResourceID: "r2", Metadata: memory.Object{"category": "sales", "priority": "high", "status": "open"}},
		{ID: "t4", ResourceID: "r2", Metadata: memory.Object{"category": "sales", "priority": "medium"}},
		{ID: "t5", ResourceID: "r3", Metadata: memory.Object{"n": 1, "flag": true, "z": nil, "text": "1", "obj": memory.Object{"a": 1}}},
		{ID: "t6", ResourceID: "r3"},
	} {
		thread.CreatedAt = at(i)
		if _, err := s.SaveThread(t.Context(), thread); err != nil {
			t.Fatal(err)
		}
	}
	asc := memory.Ascending
	for _, c := range []struct {
		q    memory.ThreadQuery
		want string
	}{
		{memory.ThreadQuery{ResourceID: "r1"}, "t1 t2"},
		{memory.ThreadQuery{Metadata: memory.Object{"category": "support"}}, "t1 t2"},
		{memory.ThreadQuery{Metadata: memory.Object{"category": "support", "priority": "high"}}, "t1"},
		{memory.ThreadQuery{ResourceID: "r2", Metadata: memory.Object{"category": "sales", "priority": "high"}}, "t3"},
		{memory.ThreadQuery{}, "t1 t2 t3 t4 t5 t6"},
		{memory.ThreadQuery{Metadata: memory.Object{"category": "nothing"}}, ""},
		{memory.ThreadQuery{ResourceID: "nobody"}, ""},
		{memory.ThreadQuery{Metadata: memory.Object{"category": "support", "priority": "high", "status": "closed"}}, ""},
		{memory.ThreadQuery{Metadata: memory.Object{"status": "open"}}, "t1 t3"},
		{memory.ThreadQuery{Metadata: memory.Object{"n": 1.0}}, "t5"},
		{memory.ThreadQuery{Metadata: memory.Object{"n": "1"}}, ""},
		{memory.ThreadQuery{Metadata: memory.Object{"text": 1}}, ""},
		{memory.ThreadQuery{Metadata: memory.Object{"flag": true}}, "t5"},
		{memory.ThreadQuery{Metadata: memory.Object{"flag": 1}}, ""},
		{memory.ThreadQuery{Metadata: memory.Object{"z": nil}}, "t5"},
		{memory.ThreadQuery{Metadata: memory.Object{"missing": nil}}, ""},
		{memory.ThreadQuery{Metadata: memory.Object{"obj": nil}}, ""},
	} {
		c.q.Order = asc
		s.wantThreads(c.q, len(strings.Fields(c.want)), false, c.want)
	}
	support := memory.Object{"category": "support"}
	s.wantThreads(memory.ThreadQuery{Metadata: support, PerPage: 1, Order: asc}, 2, true, "t1")
	s.wantThreads(memory.ThreadQuery{Metadata: support, PerPage: 1, Page: 1, Order: asc}, 2, false, "t2")
	s.wantThreads(memory.ThreadQuery{Metadata: support, PerPage: memory.All, Order: asc}, 2, false, "t1 t2")
}

func testArchive(t *testing.T, s suite) {
	if s.thread("t", "r").ArchivedAt != nil || s.getThread("t").ArchivedAt != nil {
		t.Error("a new thread is archived")
	}
	before, when := s.getThread("t"), at(100)
	got, err := s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{ArchivedAt: &when})
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.ArchivedAt = &when
	s.same("archived", got, want) // and updatedAt has not moved
	s.same("read", s.getThread("t"), want)
	if got, err = s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{Title: ptr("x"), Metadata: memory.Object{"a": 1}}); err != nil || got.ArchivedAt == nil {
		t.Errorf("%+v, error %v", got, err)
	}
	if got, err = s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{ArchivedAt: &time.Time{}}); err != nil || got.ArchivedAt != nil {
		t.Errorf("%+v, error %v", got, err)
	}

	for i := range 5 {
		thread := memory.Thread{ID: fmt.Sprint("a", i), ResourceID: "list", CreatedAt: at(i), Metadata: memory.Object{"even": i%2 == 0}}
		if i < 2 {
			thread.ArchivedAt = &when
		}
		if _, err := s.SaveThread(t.Context(), thread); err != nil {
			t.Fatal(err)
		}
	}
	q := memory.ThreadQuery{ResourceID: "list", Order: memory.Ascending}
	s.wantThreads(q, 5, false, "a0 a1 a2 a3 a4")
	q.Archived = ptr(true)
	s.wantThreads(q, 2, false, "a0 a1")
	q.Archived = ptr(false)
	s.wantThreads(q, 3, false, "a2 a3 a4")
	q.PerPage = 2
	s.wantThreads(q, 3, true, "a2 a3")
	q.Page = 1
	s.wantThreads(q, 3, false, "a4")
	q.Page, q.Metadata = 0, memory.Object{"even": true}
	s.wantThreads(q, 2, false, "a2 a4")
}

// testMerges changes one thread and one resource many times at once.
func testMerges(t *testing.T, s suite) {
	s.thread("t", "r")
	const n = 8
	errs := make([]error, 3*n)
	var wg sync.WaitGroup
	for i := range n {
		key := fmt.Sprint("k", i)
		wg.Go(func() {
			_, errs[3*i] = s.UpdateThread(t.Context(), "t", memory.ThreadUpdate{Metadata: memory.Object{key: i}})
		})
		wg.Go(func() {
			_, errs[3*i+1] = s.UpdateMetadata(t.Context(), "r", memory.MetadataUpdate{Metadata: memory.Object{key: i}})
		})
		wg.Go(func() {
			_, errs[3*i+2] = s.SaveMessages(t.Context(), []memory.Message{message(key, "t", "r", i)})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	m, err := s.GetMetadata(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	thread := s.getThread("t")
	if got := len(thread.Metadata); got != n+1 && !s.opts.LastWriteWins {
		t.Errorf("the thread's metadata has %d keys of %d: %v", got, n+1, thread.Metadata)
	}
	if got := len(m.Metadata); got != n && !s.opts.LastWriteWins {
		t.Errorf("the resource's metadata has %d keys of %d: %v", got, n, m.Metadata)
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, n, false, "k0 k1 k2 k3 k4 k5 k6 k7")
}
