package memorytest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/memory"
)

func (s suite) update(updates ...memory.MessageUpdate) []memory.Message {
	s.Helper()
	got, err := s.UpdateMessages(s.Context(), updates)
	if err != nil {
		s.Fatalf("update: %v", err)
	}
	return got
}

// content returns a message's content, as a value.
func (s suite) content(id string) any {
	s.Helper()
	got, err := s.GetMessages(s.Context(), []string{id})
	if err != nil || len(got) != 1 {
		s.Fatalf("get %s: %d messages, error %v", id, len(got), err)
	}
	var o memory.Object
	if err := o.UnmarshalJSON(got[0].Content); err != nil {
		s.Fatal(err)
	}
	return map[string]any(o)
}

func testUpdates(t *testing.T, s suite) {
	s.thread("t", "r")
	s.thread("t2", "r")
	m := message("m1", "t", "r", 1)
	m.Content = raw(`{"format":2,"parts":[{"type":"text","text":"old"}],"content":"old","metadata":{"initial":1,"nest":{"a":1,"b":2}},"x":0.30000000000000004}`)
	s.save(m, message("m2", "t", "r", 2))
	before := s.getThread("t")

	got := s.update(memory.MessageUpdate{ID: "m1", Role: "assistant"})
	want := m
	want.Role = "assistant"
	s.same("the role", got, []memory.Message{want})
	if !s.getThread("t").UpdatedAt.After(before.UpdatedAt) {
		t.Error("updatedAt has not moved")
	}

	parts := []any{map[string]any{"type": "text", "text": "old"}}
	s.update(memory.MessageUpdate{ID: "m1", Content: raw(`{"metadata":{"updated":true}}`)})
	s.same("metadata", s.content("m1"), map[string]any{"format": 2.0, "parts": parts, "content": "old", "x": 0.30000000000000004,
		"metadata": map[string]any{"initial": 1.0, "updated": true, "nest": map[string]any{"a": 1.0, "b": 2.0}}})
	s.update(memory.MessageUpdate{ID: "m1", Content: raw(`{"content":"new"}`)})
	s.same("the text", s.content("m1"), map[string]any{"format": 2.0, "parts": parts, "content": "new", "x": 0.30000000000000004,
		"metadata": map[string]any{"initial": 1.0, "updated": true, "nest": map[string]any{"a": 1.0, "b": 2.0}}})
	// The metadata's own values are replaced as a whole.
	s.update(memory.MessageUpdate{ID: "m1", Content: raw(`{"parts":[],"metadata":{"nest":{"c":3},"gone":null}}`)})
	s.same("nested", s.content("m1"), map[string]any{"format": 2.0, "parts": []any{}, "content": "new", "x": 0.30000000000000004,
		"metadata": map[string]any{"initial": 1.0, "updated": true, "gone": nil, "nest": map[string]any{"c": 3.0}}})
	// Content that was no object is replaced.
	text := message("old", "t", "r", 3)
	text.Content = raw(`"of old"`)
	s.save(text)
	s.update(memory.MessageUpdate{ID: "old", Content: raw(`{"format":2,"metadata":{"k":1}}`)})
	s.same("replaced", s.content("old"), map[string]any{"format": 2.0, "metadata": map[string]any{"k": 1.0}})

	// Several, unknown ones among them.
	got = s.update(memory.MessageUpdate{ID: "m2", Role: "system", Type: "tool-result"}, memory.MessageUpdate{ID: "nobody", Role: "x"},
		memory.MessageUpdate{ID: "m1", ResourceID: "r9"})
	s.wantIDs(got, "m1 m2")
	if got[0].ResourceID != "r9" || got[1].Role != "system" || got[1].Type != "tool-result" {
		t.Errorf("%+v", got)
	}
	if got := s.update(memory.MessageUpdate{ID: "nobody", Role: "x"}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	s.wantPage(memory.MessageQuery{ResourceID: "r9"}, 1, false, "m1")
	s.wantPage(memory.MessageQuery{ResourceID: "r"}, 2, false, "m2 old")

	// A move.
	before, before2 := s.getThread("t"), s.getThread("t2")
	s.update(memory.MessageUpdate{ID: "m2", ThreadID: "t2"})
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 2, false, "m1 old")
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t2"}}, 1, false, "m2")
	if !s.getThread("t").UpdatedAt.After(before.UpdatedAt) || !s.getThread("t2").UpdatedAt.After(before2.UpdatedAt) {
		t.Error("updatedAt of one of the threads has not moved")
	}
	_, err := s.UpdateMessages(t.Context(), []memory.MessageUpdate{{ID: "m1", Role: "no"}, {ID: "m2", ThreadID: "nobody"}})
	s.wantErr("an unknown thread", err, memory.ErrNotFound)
	if got, err := s.GetMessages(t.Context(), []string{"m1"}); err != nil || got[0].Role != "assistant" {
		t.Errorf("%+v, error %v", got, err)
	}
	if got, err := s.UpdateMessages(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("%+v, error %v", got, err)
	}
}

func testMetadata(t *testing.T, s suite) {
	_, err := s.GetMetadata(t.Context(), "nobody")
	s.wantErr("an unknown resource", err, memory.ErrNotFound)
	_, err = s.GetMetadata(t.Context(), "")
	s.wantErr("no id", err, memory.ErrInvalid)
	_, err = s.SaveMetadata(t.Context(), memory.Metadata{})
	s.wantErr("no id", err, memory.ErrInvalid)
	_, err = s.UpdateMetadata(t.Context(), " ", memory.MetadataUpdate{})
	s.wantErr("a blank id", err, memory.ErrInvalid)

	long := make([]byte, 10_000)
	for i := range long {
		long[i] = "abcdefghij"[i%10]
	}
	for _, want := range []memory.Metadata{
		{ResourceID: "r", WorkingMemory: "# Profile\n- name: Ada", Metadata: memory.Object{"x": 1.0}},
		{ResourceID: "1346362547862769664", WorkingMemory: "", CreatedAt: base, UpdatedAt: base.Add(5 * time.Millisecond)},
		{ResourceID: "json", WorkingMemory: `{"json":true}`, Metadata: memory.Object{}},
		{ResourceID: "deep", WorkingMemory: "[]", Metadata: memory.Object{"a": map[string]any{"b": nil, "c": []any{1.0, "x"}}, "n": nil}},
		{ResourceID: "long", WorkingMemory: string(long)},
	} {
		saved, err := s.SaveMetadata(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		want.CreatedAt, want.UpdatedAt = saved.CreatedAt, saved.UpdatedAt
		got, err := s.GetMetadata(t.Context(), want.ResourceID)
		if err != nil {
			t.Fatal(err)
		}
		s.same("saved", saved, want)
		s.same("read", got, want)
	}

	before, _ := s.GetMetadata(t.Context(), "r")
	update := func(id string, u memory.MetadataUpdate) memory.Metadata {
		t.Helper()
		got, err := s.UpdateMetadata(t.Context(), id, u)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := s.GetMetadata(t.Context(), id); err != nil || !cmp.Equal(read, got) {
			t.Errorf("read %+v, error %v; want %+v", read, err, got)
		}
		return got
	}
	got := update("r", memory.MetadataUpdate{WorkingMemory: ptr("new"), Metadata: memory.Object{"y": "z"}})
	if !got.UpdatedAt.After(before.UpdatedAt) || !got.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("times %v and %v, after %v", got.CreatedAt, got.UpdatedAt, before.UpdatedAt)
	}
	s.same("both", got.Metadata, memory.Object{"x": 1.0, "y": "z"})
	if got.WorkingMemory != "new" {
		t.Errorf("working memory %q", got.WorkingMemory)
	}
	got = update("r", memory.MetadataUpdate{WorkingMemory: ptr("")})
	if got.WorkingMemory != "" || len(got.Metadata) != 2 {
		t.Errorf("%+v", got)
	}
	got = update("r", memory.MetadataUpdate{Metadata: memory.Object{"x": 2}})
	s.same("metadata", got.Metadata, memory.Object{"x": 2.0, "y": "z"})
	got = update("made", memory.MetadataUpdate{WorkingMemory: ptr("w")})
	if got.WorkingMemory != "w" || len(got.Metadata) != 0 || got.CreatedAt.IsZero() {
		t.Errorf("%+v", got)
	}
	got = update("made too", memory.MetadataUpdate{Metadata: memory.Object{"a": 1}})
	s.same("made", got.Metadata, memory.Object{"a": 1.0})

	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.UpdateMetadata(t.Context(), "new one", memory.MetadataUpdate{WorkingMemory: ptr("w")})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func testClone(t *testing.T, s suite) {
	source := s.thread("t", "r")
	s.fill("t", "r", 5)
	s.save(message("same", "t", "r2", 5))
	clone := func(o memory.CloneOptions) memory.Clone {
		t.Helper()
		got, err := s.CloneThread(t.Context(), o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		s.same("the clone, read", s.getThread(got.Thread.ID), got.Thread)
		s.same("its messages, read", s.list(memory.MessageQuery{ThreadIDs: []string{got.Thread.ID}, PerPage: memory.All}).Messages, got.Messages)
		if len(got.MessageIDs) != len(got.Messages) {
			t.Errorf("%d ids of %d messages", len(got.MessageIDs), len(got.Messages))
		}
		return got
	}
	texts := func(c memory.Clone) string {
		var out string
		for _, m := range c.Messages {
			content, err := memory.ParseContent(m.Content)
			if err != nil || c.MessageIDs[content.String()] != m.ID || m.ThreadID != c.Thread.ID {
				t.Errorf("message %+v, error %v", m, err)
			}
			out += content.String() + " "
		}
		return out
	}
	got := clone(memory.CloneOptions{SourceID: "t", Metadata: memory.Object{"mine": 1}})
	if got.Thread.Title != "Clone of Test Thread" || got.Thread.ResourceID != "r" || got.Thread.ID == source.ID || got.Thread.CreatedAt.Before(source.CreatedAt) {
		t.Errorf("%+v", got.Thread)
	}
	of, _ := got.Thread.Metadata["clone"].(map[string]any)
	if got.Thread.Metadata["mine"] != 1.0 || got.Thread.Metadata["key"] != nil || of["sourceThreadId"] != "t" || of["lastMessageId"] != "same" || of["clonedAt"] == nil {
		t.Errorf("metadata %v", got.Thread.Metadata)
	}
	if all := texts(got); all != "m1 m2 m3 m4 m5 same " || got.Messages[5].ResourceID != "r2" || !got.Messages[0].CreatedAt.Equal(at(1)) {
		t.Errorf("messages %q: %+v", all, got.Messages)
	}
	for want, o := range map[string]memory.CloneOptions{
		"m5 same ": {Last: 2},
		"m2 m3 ":   {Start: at(2), End: at(3)},
		"m1 m4 ":   {MessageIDs: []string{"m4", "m1", "nobody"}},
		"m4 ":      {MessageIDs: []string{"m1", "m4"}, Last: 1, ResourceID: "other", Title: "T"},
		"":         {Start: at(100)},
	} {
		o.SourceID = "t"
		got := clone(o)
		if all := texts(got); all != want {
			t.Errorf("%+v: messages %q; want %q", o, all, want)
		}
		if o.Title != "" && (got.Thread.Title != "T" || got.Thread.ResourceID != "other" || got.Messages[0].ResourceID != "other") {
			t.Errorf("%+v", got)
		}
	}
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 6, false, "m1 m2 m3 m4 m5 same")
	_, err := s.CloneThread(t.Context(), memory.CloneOptions{SourceID: "nobody"})
	s.wantErr("an unknown source", err, memory.ErrNotFound)
	_, err = s.CloneThread(t.Context(), memory.CloneOptions{SourceID: "t", ID: "t"})
	s.wantErr("an id that is taken", err, memory.ErrExists)
	_, err = s.CloneThread(t.Context(), memory.CloneOptions{})
	s.wantErr("no source", err, memory.ErrInvalid)
	_, err = s.CloneThread(t.Context(), memory.CloneOptions{SourceID: "t", Last: -1})
	s.wantErr("a negative number", err, memory.ErrInvalid)
}

func testContexts(t *testing.T, s suite) {
	s.thread("t", "r")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.SaveMessages(ctx, []memory.Message{message("m", "t", "r", 1)})
	s.wantErr("save", err, context.Canceled)
	_, err = s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t"}})
	s.wantErr("list", err, context.Canceled)
	_, err = s.GetThread(ctx, "t")
	s.wantErr("get", err, context.Canceled)
	s.wantPage(memory.MessageQuery{ThreadIDs: []string{"t"}}, 0, false, "")
}
