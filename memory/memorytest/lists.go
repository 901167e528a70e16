package memorytest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/memory"
)

// two makes a thread t with m1 to m5 and one t2 with x1, which is as old as m3.
func (s suite) two() {
	s.Helper()
	s.thread("t", "r")
	s.thread("t2", "r2")
	s.fill("t", "r", 5)
	x := message("x1", "t2", "r2", 3)
	x.CreatedAt = x.CreatedAt.Add(time.Millisecond)
	s.save(x)
}

func testList(t *testing.T, s suite) {
	s.two()
	of := func(ids ...string) memory.MessageQuery { return memory.MessageQuery{ThreadIDs: ids} }
	page := s.wantPage(of("t"), 5, false, "m1 m2 m3 m4 m5")
	if page.PerPage != 40 || page.Page != 0 {
		t.Errorf("page %d, perPage %d", page.Page, page.PerPage)
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, Order: memory.Ascending}, 5, false, "m1 m2 m3 m4 m5")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, Order: memory.Descending}, 5, false, "m5 m4 m3 m2 m1")
	s.wantPage(of("t", "t2"), 6, false, "m1 m2 m3 x1 m4 m5")
	s.wantPage(of("nobody"), 0, false, "")
	s.thread("empty", "r")
	s.wantPage(of("empty"), 0, false, "")
	// Another resource's message in the same thread.
	s.save(message("foreign", "t", "r9", 9))
	s.wantPage(of("t"), 6, false, "m1 m2 m3 m4 m5 foreign")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, ResourceID: "r"}, 5, false, "m1 m2 m3 m4 m5")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, ResourceID: "r", PerPage: 3}, 5, true, "m1 m2 m3")
}

func testPages(t *testing.T, s suite) {
	s.two()
	q := memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: 2}
	for n, want := range []string{"m1 m2", "m3 m4", "m5", ""} {
		q.Page = n
		page := s.wantPage(q, 5, n < 2, want)
		if page.Page != n || page.PerPage != 2 {
			t.Errorf("page %d, perPage %d", page.Page, page.PerPage)
		}
	}
	q.PerPage, q.Page = 5, 0
	s.wantPage(q, 5, false, "m1 m2 m3 m4 m5")
	all := s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All, Page: 7}, 5, false, "m1 m2 m3 m4 m5")
	if all.PerPage != memory.All || all.Page != 0 {
		t.Errorf("page %d, perPage %d", all.Page, all.PerPage)
	}
	none := s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.None}, 0, false, "")
	if none.PerPage != memory.None {
		t.Errorf("perPage %d", none.PerPage)
	}
	s.thread("long", "r")
	var messages []memory.Message
	for i := range 55 {
		messages = append(messages, message(fmt.Sprint("l", i), "long", "r", i))
	}
	s.save(messages...)
	if page := s.list(memory.MessageQuery{ThreadIDs: []string{"long"}, Total: true}); len(page.Messages) != 40 || page.Total != 55 || !page.HasMore {
		t.Errorf("%d messages, total %d, hasMore %v", len(page.Messages), page.Total, page.HasMore)
	}
}

func testInclude(t *testing.T, s suite) {
	s.two()
	inc := func(perPage int, include ...memory.Include) memory.MessageQuery {
		return memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: perPage, Include: include}
	}
	for _, include := range []memory.Include{{ID: "m4", Previous: 2}, {ID: "m2", Next: 2}, {ID: "m3", Previous: 1, Next: 1}, {ID: "nobody", Next: 3}} {
		s.wantPage(inc(0, include), 5, false, "m1 m2 m3 m4 m5")
	}
	s.wantPage(inc(0, memory.Include{ID: "x1", Previous: 9}), 5, false, "m1 m2 m3 x1 m4 m5")
	s.wantPage(inc(0, memory.Include{ID: "m2", Next: 2}, memory.Include{ID: "m3", Previous: 2}), 5, false, "m1 m2 m3 m4 m5")
	s.wantPage(inc(3, memory.Include{ID: "m1", Next: 10}), 5, false, "m1 m2 m3 m4 m5")
	s.wantPage(inc(2, memory.Include{ID: "m3", Previous: 1}), 5, true, "m1 m2 m3")
	s.wantPage(inc(1, memory.Include{ID: "m4"}), 5, true, "m1 m4")
	s.wantPage(inc(1, memory.Include{ID: "m2"}, memory.Include{ID: "m3"}, memory.Include{ID: "m4"}, memory.Include{ID: "m5"}), 5, false, "m1 m2 m3 m4 m5")
	desc := inc(2, memory.Include{ID: "x1", Previous: 1, Next: 1})
	desc.Order = memory.Descending
	s.wantPage(desc, 5, true, "m5 m4 x1")
	// A page that is continued with a cursor goes on behind the page, not behind what was
	// included.
	page := s.list(inc(2, memory.Include{ID: "m5"}))
	next := s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: 2, Cursor: page.Cursor})
	s.wantIDs(next.Messages, "m3 m4")
	// After separate saves, in any order.
	s.save(message("m0", "t", "r", 0))
	s.save(message("m3b", "t", "r", 3))
	s.wantPage(inc(memory.None, memory.Include{ID: "m3", Previous: 3, Next: 1}), 0, false, "m0 m1 m2 m3 m3b")
}

func testIncludeAlone(t *testing.T, s suite) {
	s.two()
	none := func(order memory.Order, include ...memory.Include) memory.MessageQuery {
		return memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.None, Order: order, Include: include}
	}
	asc, desc := memory.Ascending, memory.Descending
	s.wantPage(none(asc, memory.Include{ID: "m3", Previous: 1, Next: 1}), 0, false, "m2 m3 m4")
	s.wantPage(none(asc, memory.Include{ID: "m3"}, memory.Include{ID: "x1"}), 0, false, "m3 x1")
	s.wantPage(none(asc), 0, false, "")
	s.wantPage(none(asc, memory.Include{ID: "m2", Next: 1}, memory.Include{ID: "m3", Previous: 1}), 0, false, "m2 m3")
	s.wantPage(none(desc, memory.Include{ID: "m3", Previous: 1}, memory.Include{ID: "m3", Next: 1}), 0, false, "m4 m3 m2")
	s.wantPage(none(asc, memory.Include{ID: "x1", Previous: 1, Next: 30}), 0, false, "x1")

	s.thread("long", "r")
	var messages []memory.Message
	var include []memory.Include
	var want []string
	for i := range 200 {
		messages = append(messages, message(fmt.Sprintf("l%03d", i), "long", "r", i))
	}
	s.save(messages...)
	for _, i := range []int{10, 50, 90, 130, 170} {
		include = append(include, memory.Include{ID: fmt.Sprintf("l%03d", i), Previous: 2, Next: 2})
		for j := i - 2; j <= i+2; j++ {
			want = append(want, fmt.Sprintf("l%03d", j))
		}
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"long"}, PerPage: memory.None, Include: include}, 0, false, strings.Join(want, " "))
}

func testIncludeScope(t *testing.T, s suite) {
	s.thread("A1", "A")
	s.thread("A2", "A")
	s.thread("B1", "B")
	s.save(message("a1", "A1", "A", 0), message("a2", "A1", "A", 60), message("a3", "A1", "A", 120),
		message("a4", "A2", "A", 180), message("b1", "B1", "B", 240))
	two, one := memory.Include{ID: "a2", Previous: 2, Next: 2}, memory.Include{ID: "a2", Previous: 1, Next: 1}
	of := func(thread, resource string, perPage int, include memory.Include) memory.MessageQuery {
		return memory.MessageQuery{ThreadIDs: []string{thread}, ResourceID: resource, PerPage: perPage, Include: []memory.Include{include}}
	}
	s.wantPage(of("B1", "B", 0, two), 1, false, "b1")
	s.wantPage(of("A2", "A", 0, one), 1, false, "a1 a2 a3 a4")
	s.wantPage(of("B1", "B", memory.None, two), 0, false, "")
	s.wantPage(of("B1", "", 0, two), 1, false, "a1 a2 a3 b1")
	// A neighbour of another resource does not come along.
	s.save(message("spy", "A1", "B", 61))
	s.wantPage(of("A2", "A", 0, one), 1, false, "a1 a2 a3 a4")
}

func testDates(t *testing.T, s suite) {
	s.thread("t", "r")
	s.fill("t", "r", 10)
	for _, c := range []struct {
		name string
		q    memory.MessageQuery
		want string
	}{
		{"start", memory.MessageQuery{Start: at(7)}, "m7 m8 m9 m10"},
		{"end", memory.MessageQuery{End: at(4)}, "m1 m2 m3 m4"},
		{"inclusive", memory.MessageQuery{Start: at(2), End: at(4)}, "m2 m3 m4"},
		{"start exclusive", memory.MessageQuery{Start: at(2), End: at(4), StartExclusive: true}, "m3 m4"},
		{"end exclusive", memory.MessageQuery{Start: at(2), End: at(4), EndExclusive: true}, "m2 m3"},
		{"both", memory.MessageQuery{Start: at(2), End: at(4), StartExclusive: true, EndExclusive: true}, "m3"},
		{"future", memory.MessageQuery{Start: at(1000)}, ""},
		{"to the millisecond", memory.MessageQuery{Start: at(2).Add(time.Millisecond), End: at(4).Add(-time.Millisecond)}, "m3"},
		{"another zone", memory.MessageQuery{Start: at(9).In(time.FixedZone("", 3600))}, "m9 m10"},
	} {
		c.q.ThreadIDs = []string{"t"}
		t.Log(c.name)
		s.wantPage(c.q, len(strings.Fields(c.want)), false, c.want)
	}
	q := memory.MessageQuery{ThreadIDs: []string{"t"}, Start: at(3), End: at(8), PerPage: 2}
	for n, want := range []string{"m3 m4", "m5 m6", "m7 m8"} {
		q.Page = n
		s.wantPage(q, 6, n < 2, want)
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, Start: at(5), PerPage: 3}, 6, true, "m5 m6 m7")
}

func testCursors(t *testing.T, s suite) {
	s.thread("t", "r")
	s.fill("t", "r", 10)
	// Backwards, while messages arrive.
	q := memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: 4, Order: memory.Descending}
	page := s.wantPage(q, 10, true, "m10 m9 m8 m7")
	s.save(message("m11", "t", "r", 11), message("m12", "t", "r", 12))
	q.Cursor = page.Cursor
	page = s.list(q)
	s.wantIDs(page.Messages, "m6 m5 m4 m3")
	if err := s.DeleteMessages(t.Context(), []string{"m3", "m5"}); err != nil { // the last of the page among them
		t.Fatal(err)
	}
	q.Cursor = page.Cursor
	page = s.wantPage(q, 10, false, "m2 m1")

	// Forwards, over messages of one time.
	s.thread("same", "r")
	for i := range 7 {
		s.save(message(fmt.Sprint("s", i), "same", "r", 5))
	}
	var all []memory.Message
	for m, err := range memory.Messages(t.Context(), s.Store, memory.MessageQuery{ThreadIDs: []string{"same"}, PerPage: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	s.wantIDs(all, "s0 s1 s2 s3 s4 s5 s6")
	// With excluded ends, as a cursor of one's own.
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, Order: memory.Descending, End: at(6), EndExclusive: true, PerPage: 2}, 3, true, "m4 m2")
	// Over several threads.
	q = memory.MessageQuery{ThreadIDs: []string{"t", "same"}, PerPage: 6}
	first := s.list(q)
	q.Cursor = first.Cursor
	if second := s.list(q); len(first.Messages) != 6 || len(second.Messages) != 6 || first.Messages[5].ID == second.Messages[0].ID {
		t.Errorf("%s, and then %s", ids(first.Messages), ids(second.Messages))
	}
}

func testMessageFilters(t *testing.T, s suite) {
	s.thread("t", "r")
	for i, metadata := range []string{`{"topic":"math","n":1}`, `{"topic":"math","n":1.5,"ok":true}`, `{"n":"1","ok":1,"z":null}`, `null`, `{}`} {
		m := message(fmt.Sprint("m", i), "t", "r", i)
		m.Content = raw(`{"format":2,"parts":[],"metadata":%s}`, metadata)
		s.save(m)
	}
	s.save(message("plain", "t", "r", 9))
	text := message("text", "t", "r", 10)
	text.Content = raw(`"of old"`)
	s.save(text)
	for _, c := range []struct {
		filter memory.Object
		want   string
	}{
		{memory.Object{"topic": "math"}, "m0 m1"},
		{memory.Object{"topic": "math", "n": 1}, "m0"},
		{memory.Object{"n": 1.0}, "m0"},
		{memory.Object{"n": "1"}, "m2"},
		{memory.Object{"ok": true}, "m1"},
		{memory.Object{"ok": 1}, "m2"},
		{memory.Object{"z": nil}, "m2"},
		{memory.Object{"topic": nil}, ""},
	} {
		q := memory.MessageQuery{ThreadIDs: []string{"t"}, Metadata: c.filter}
		n := len(strings.Fields(c.want))
		s.wantPage(q, n, false, c.want)
		if q.PerPage = 1; n == 2 {
			s.wantPage(q, n, true, "m0")
		}
	}
}

func testListOfResource(t *testing.T, s suite) {
	s.two()
	s.thread("t3", "r")
	s.save(message("y1", "t3", "r", 4), message("y2", "t3", "r", 6))
	of := memory.MessageQuery{ResourceID: "r"}
	of.PerPage = memory.All
	s.wantPage(of, 7, false, "m1 m2 m3 m4 y1 m5 y2")
	s.wantPage(memory.MessageQuery{ResourceID: "r2"}, 1, false, "x1")
	s.wantPage(memory.MessageQuery{ResourceID: "nobody"}, 0, false, "")
	s.wantPage(memory.MessageQuery{ResourceID: "r", Start: at(5)}, 2, false, "m5 y2")
	page := s.wantPage(memory.MessageQuery{ResourceID: "r", PerPage: 2}, 7, true, "m1 m2")
	s.wantIDs(s.list(memory.MessageQuery{ResourceID: "r", PerPage: 4, Cursor: page.Cursor}).Messages, "m3 m4 y1 m5")
	s.wantPage(memory.MessageQuery{ResourceID: "r", Order: memory.Descending, PerPage: 3}, 7, true, "y2 m5 y1")
	s.wantPage(memory.MessageQuery{ResourceID: "r", PerPage: memory.None, Include: []memory.Include{{ID: "x1"}, {ID: "y1", Previous: 3}}}, 0, false, "y1")
}
