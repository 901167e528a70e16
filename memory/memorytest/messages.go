package memorytest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/memory"
)

func testMessages(t *testing.T, s suite) {
	before := s.thread("t", "r")
	want := []memory.Message{
		{ID: "m1", ThreadID: "t", ResourceID: "r", Role: "system", CreatedAt: at(1), Content: memory.TextContent("Be kind.")},
		{ID: "m2", ThreadID: "t", ResourceID: "r", Role: "user", CreatedAt: at(2), Content: memory.TextContent("2+2?")},
		{ID: "m3", ThreadID: "t", ResourceID: "r2", Role: "assistant", Type: "tool-call", CreatedAt: at(3).Add(7 * time.Millisecond),
			Content: raw(`{"format":2,"parts":[{"type":"tool-invocation","toolInvocation":{"state":"result","toolCallId":"c1","toolName":"calc","args":{"a":2},"result":4}}]}`)},
	}
	s.same("saved", s.save(want...), want)
	s.same("listed", s.list(memory.MessageQuery{ThreadIDs: []string{"t"}}).Messages, want)
	if after := s.getThread("t"); !after.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("updatedAt went from %v to %v", before.UpdatedAt, after.UpdatedAt)
	}
	if saved, err := s.SaveMessages(t.Context(), nil); err != nil || len(saved) != 0 {
		t.Errorf("saving nothing: %v, error %v", saved, err)
	}
	content, err := memory.ParseContent(want[2].Content)
	if err != nil || content.Parts[0].ToolInvocation.ToolName != "calc" {
		t.Errorf("content %+v, error %v", content, err)
	}
	// Times are told when they are not given.
	saved := s.save(memory.Message{ID: "m4", ThreadID: "t", ResourceID: "r", Role: "user", Content: memory.TextContent("now")})
	if d := time.Since(saved[0].CreatedAt); d > time.Hour || d < -time.Hour {
		t.Errorf("created at %v", saved[0].CreatedAt)
	}
	last, err := memory.Last(t.Context(), s.Store, "t", 2)
	if err != nil {
		t.Fatal(err)
	}
	s.wantIDs(last, "m3 m4")
	_, err = memory.Last(t.Context(), s.Store, "t", 0)
	s.wantErr("the last 0", err, memory.ErrInvalid)
}

func testContent(t *testing.T, s suite) {
	s.thread("t", "r")
	contents := []string{
		`{"format":2,"parts":[{"type":"text","text":"a","providerMetadata":{"mastra":{"tokenEstimate":{"v":1,"n":0.30000000000000004}}}}],"unknown":[null,{"x":12345678901234567890}]}`,
		`{"format":2,"parts":[],"content":"{\"a\":[1,2]}"}`,
		`{ "format" : 2 ,  "parts" : [ ] , "z":1, "a":2, "dup":1, "dup":2 }`,
		`{"text":"\ud800 \u0041 é 🎉 </script> \u0000"}`,
		`[{"type":"text","text":"of old"}]`,
		`"a text of old"`, `""`, `"[1]"`, `"{\"a\":1}"`, `"\"quoted\""`, `"5"`, `"null"`, `"{not json"`,
		`{"long":"` + strings.Repeat("0123456789", 30_000) + `"}`,
	}
	if !s.opts.TextContent {
		contents = append(contents, `5`, `null`, `true`, `-1.50e+300`)
	}
	var want []memory.Message
	for i, content := range contents {
		m := message(fmt.Sprint("m", i), "t", "r", i)
		m.Content = raw("%s", content)
		want = append(want, m)
	}
	s.save(want...)
	for i, m := range s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All}).Messages {
		if string(m.Content) != contents[i] {
			t.Errorf("content %.200s came back as %.200s", contents[i], m.Content)
		}
	}
}

func testSaveRules(t *testing.T, s suite) {
	s.thread("t", "r")
	good := message("good", "t", "r", 1)
	change := func(f func(*memory.Message)) []memory.Message {
		m := message("bad", "t", "r", 2)
		f(&m)
		return []memory.Message{good, m}
	}
	for name, c := range map[string]struct {
		messages []memory.Message
		want     error
		text     string
	}{
		"no id":          {change(func(m *memory.Message) { m.ID = "" }), memory.ErrInvalid, "message at index 1 missing id"},
		"no thread":      {change(func(m *memory.Message) { m.ThreadID = " " }), memory.ErrInvalid, "message at index 1 missing threadId"},
		"no role":        {change(func(m *memory.Message) { m.Role = "" }), memory.ErrInvalid, "message at index 1 missing role"},
		"no resource":    {change(func(m *memory.Message) { m.ResourceID = "" }), memory.ErrInvalid, "message at index 1 missing resourceId"},
		"no content":     {change(func(m *memory.Message) { m.Content = nil }), memory.ErrInvalid, "message at index 1 missing content"},
		"no JSON":        {change(func(m *memory.Message) { m.Content = raw(`{"a":`) }), memory.ErrInvalid, "not JSON"},
		"no UTF-8":       {change(func(m *memory.Message) { m.Content = raw("\"\xff\"") }), memory.ErrInvalid, "UTF-8"},
		"no such thread": {change(func(m *memory.Message) { m.ThreadID = "no'b:dy" }), memory.ErrNotFound, `thread "no'b:dy"`},
	} {
		_, err := s.SaveMessages(t.Context(), c.messages)
		s.wantErr(name, err, c.want)
		if err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: error %v; want %s", name, err, c.text)
		}
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 0, false, "")
	for name, q := range map[string]memory.MessageQuery{
		"nothing":            {},
		"an empty thread":    {ThreadIDs: []string{""}},
		"a blank thread":     {ThreadIDs: []string{"t", "   "}},
		"a negative page":    {ThreadIDs: []string{"t"}, Page: -1},
		"a negative size":    {ThreadIDs: []string{"t"}, PerPage: -5},
		"a large page":       {ThreadIDs: []string{"t"}, Page: 1 << 60},
		"a strange cursor":   {ThreadIDs: []string{"t"}, Cursor: "?"},
		"page and cursor":    {ThreadIDs: []string{"t"}, Cursor: "x", Page: 1},
		"a strange key":      {ThreadIDs: []string{"t"}, Metadata: memory.Object{"a.b": 1}},
		"an empty include":   {ThreadIDs: []string{"t"}, Include: []memory.Include{{}}},
		"a negative include": {ThreadIDs: []string{"t"}, Include: []memory.Include{{ID: "m", Previous: -1}}},
	} {
		_, err := s.ListMessages(t.Context(), q)
		s.wantErr(name, err, memory.ErrInvalid)
	}
	_, err := s.GetMessages(t.Context(), []string{"a", ""})
	s.wantErr("get", err, memory.ErrInvalid)
	s.wantErr("delete", s.DeleteMessages(t.Context(), []string{""}), memory.ErrInvalid)
	_, err = s.UpdateMessages(t.Context(), []memory.MessageUpdate{{Role: "user"}})
	s.wantErr("update", err, memory.ErrInvalid)
	_, err = s.UpdateMessages(t.Context(), []memory.MessageUpdate{{ID: "a", Content: raw(`[1]`)}})
	s.wantErr("update with a list", err, memory.ErrInvalid)
}

func testSaveAgain(t *testing.T, s suite) {
	s.thread("t1", "r")
	s.thread("t2", "r")
	s.fill("t1", "r", 3)
	// The same message: one row, with the new content and the old time.
	again := message("m2", "t1", "r", 99)
	again.Content = memory.TextContent("new")
	if saved := s.save(again); !saved[0].CreatedAt.Equal(at(2)) {
		t.Errorf("saved with time %v", saved[0].CreatedAt)
	}
	page := s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t1"}}, 3, false, "m1 m2 m3")
	if string(page.Messages[1].Content) != string(again.Content) || !page.Messages[1].CreatedAt.Equal(at(2)) {
		t.Errorf("message %+v", page.Messages[1])
	}
	// Twice in one call: the last counts.
	twice := again
	twice.Content = memory.TextContent("last")
	s.save(again, twice)
	if got, err := s.GetMessages(t.Context(), []string{"m2"}); err != nil || len(got) != 1 || string(got[0].Content) != string(twice.Content) {
		t.Errorf("%+v, error %v", got, err)
	}
	// Into another thread: it is moved, and both threads have changed.
	before1, before2 := s.getThread("t1"), s.getThread("t2")
	moved := message("m2", "t2", "r", 50)
	s.save(moved)
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t1"}}, 2, false, "m1 m3")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t2"}}, 1, false, "m2")
	if !s.getThread("t1").UpdatedAt.After(before1.UpdatedAt) || !s.getThread("t2").UpdatedAt.After(before2.UpdatedAt) {
		t.Error("updatedAt of one of the threads has not moved")
	}
}

func testOrder(t *testing.T, s suite) {
	s.thread("t", "r")
	// One time for all, in two calls: the order in which they were saved.
	s.save(message("z", "t", "r", 5), message("a", "t", "r", 5), message("m", "t", "r", 5))
	s.save(message("early", "t", "r", 1), message("b", "t", "r", 5))
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 5, false, "early z a m b")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, Order: memory.Descending}, 5, false, "b m a z early")
	s.save(message("a", "t", "r", 9)) // keeps its place
	for _, order := range []memory.Order{memory.Ascending, memory.Descending} {
		var all []memory.Message
		for page := range 5 {
			all = append(all, s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: 1, Page: page, Order: order}).Messages...)
		}
		s.wantIDs(all, map[memory.Order]string{memory.Ascending: "early z a m b", memory.Descending: "b m a z early"}[order])
	}
	// Without times they are in the order of the call.
	s.thread("now", "r")
	var now []memory.Message
	for i := range 12 {
		m := message(fmt.Sprint("n", 11-i), "now", "r", 0)
		m.CreatedAt = time.Time{}
		now = append(now, m)
	}
	s.save(now...)
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"now"}}, 12, false, "n11 n10 n9 n8 n7 n6 n5 n4 n3 n2 n1 n0")
}

func testByIDs(t *testing.T, s suite) {
	for i, resource := range []string{"r1", "r1", "r2"} {
		thread := fmt.Sprint("t", i)
		s.thread(thread, resource)
		s.save(message(thread+"a", thread, resource, 10-i), message(thread+"b", thread, resource, 20+i))
	}
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{nil, ""},
		{[]string{"t0b", "t0a"}, "t0a t0b"},
		{[]string{"t0a", "t1a", "t2a", "t1b", "t2b"}, "t2a t1a t0a t1b t2b"},
		{[]string{"nobody", "t0a", "t0a"}, "t0a"},
		{[]string{"nobody"}, ""},
	} {
		got, err := s.GetMessages(t.Context(), c.ids)
		if err != nil {
			t.Errorf("%v: %v", c.ids, err)
		}
		s.wantIDs(got, c.want)
	}
}

func testDeletes(t *testing.T, s suite) {
	s.thread("t", "r")
	s.thread("t2", "r")
	s.fill("t", "r", 5)
	s.save(message("o1", "t2", "r", 1), message("o2", "t2", "r", 2))
	before, before2 := s.getThread("t"), s.getThread("t2")
	for _, ids := range [][]string{nil, {"nobody"}} {
		if err := s.DeleteMessages(t.Context(), ids); err != nil {
			t.Errorf("%v: %v", ids, err)
		}
	}
	if err := s.DeleteMessages(t.Context(), []string{"m1", "m3", "nobody", "m5", "o2"}); err != nil {
		t.Fatal(err)
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 2, false, "m2 m4")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t2"}}, 1, false, "o1")
	if !s.getThread("t").UpdatedAt.After(before.UpdatedAt) || !s.getThread("t2").UpdatedAt.After(before2.UpdatedAt) {
		t.Error("updatedAt has not moved")
	}
}

func testReplace(t *testing.T, s suite) {
	r, ok := s.Store.(memory.Replacer)
	if !ok {
		t.Skip("the place is no memory.Replacer")
	}
	s.thread("t", "r")
	s.thread("other", "r")
	s.fill("t", "r", 4)
	if _, err := r.ReplaceMessages(t.Context(), "t", []memory.Message{message("m3", "t", "r", 30), message("new", "t", "r", 2)}); err != nil {
		t.Fatal(err)
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 2, false, "new m3")
	_, err := r.ReplaceMessages(t.Context(), "t", []memory.Message{message("x", "other", "r", 1)})
	s.wantErr("a message of another thread", err, memory.ErrInvalid)
	_, err = r.ReplaceMessages(t.Context(), "nobody", nil)
	s.wantErr("an unknown thread", err, memory.ErrNotFound)
	if _, err := r.ReplaceMessages(t.Context(), "t", nil); err != nil {
		t.Fatal(err)
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 0, false, "")
}

// testMany goes beyond D1's limits on parameters and KV's on a page of keys.
func testMany(t *testing.T, s suite) {
	s.thread("t", "r")
	const n = 1203
	var messages []memory.Message
	var all, odd []string
	for i := range n {
		id := fmt.Sprintf("m%04d", i)
		messages = append(messages, message(id, "t", "r", i))
		if all = append(all, id); i%2 == 1 {
			odd = append(odd, id)
		}
	}
	s.save(messages...)
	page := s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All})
	if ids(page.Messages) != strings.Join(all, " ") || page.Total != n || page.HasMore {
		t.Errorf("%d messages, total %d, hasMore %v", len(page.Messages), page.Total, page.HasMore)
	}
	got, err := s.GetMessages(t.Context(), all)
	if err != nil || len(got) != n {
		t.Errorf("%d messages by their ids, error %v", len(got), err)
	}
	var include []memory.Include
	for i := 0; i < n; i += 100 { // more than 5 targets, and windows of several sizes
		include = append(include, memory.Include{ID: all[i], Previous: i % 3, Next: 1})
	}
	page = s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.None, Include: include})
	if len(page.Messages) != 13*2+13-1 { // previous: 0 1 2 0 1 2 … but the first has none before it
		t.Errorf("%d messages are included: %s", len(page.Messages), ids(page.Messages))
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: 3, Page: 401}, n, false, "")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: 3, Page: 400}, n, false, "m1200 m1201 m1202")
	var updates []memory.MessageUpdate
	for _, id := range odd[:150] {
		updates = append(updates, memory.MessageUpdate{ID: id, Role: "assistant"})
	}
	if got, err = s.UpdateMessages(t.Context(), updates); err != nil || len(got) != 150 || got[149].Role != "assistant" {
		t.Errorf("%d messages updated, error %v", len(got), err)
	}
	if err := s.DeleteMessages(t.Context(), odd); err != nil {
		t.Fatal(err)
	}
	if page = s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All}); len(page.Messages) != n-len(odd) {
		t.Errorf("%d messages are left", len(page.Messages))
	}
	if err := s.DeleteThread(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	if got, err = s.GetMessages(t.Context(), all); err != nil || len(got) != 0 {
		t.Errorf("%d messages are left of a deleted thread, error %v", len(got), err)
	}
}

// testWriters writes to one thread from many places at once.
func testWriters(t *testing.T, s suite) {
	s.thread("t", "r")
	const writers, calls, each = 8, 5, 3
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for c := range calls {
				var messages []memory.Message
				for i := range each {
					messages = append(messages, message(fmt.Sprintf("w%d-%d-%d", w, c, i), "t", "r", 0))
				}
				if _, err := s.SaveMessages(t.Context(), messages); err != nil {
					errs[w] = err
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	page := s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All})
	if len(page.Messages) != writers*calls*each {
		t.Fatalf("%d messages of %d", len(page.Messages), writers*calls*each)
	}
	// Each writer's are in its order, and the order is the same every time.
	next := map[string]string{}
	for _, m := range page.Messages {
		writer := m.ID[:2]
		if m.ID < next[writer] {
			t.Errorf("%s comes after %s", m.ID, next[writer])
		}
		next[writer] = m.ID
	}
	s.wantIDs(s.list(memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All}).Messages, ids(page.Messages))
}
