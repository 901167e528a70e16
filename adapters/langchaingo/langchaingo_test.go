package langchaingo_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/tmc/langchaingo/llms"
	lcmemory "github.com/tmc/langchaingo/memory"

	"github.com/skylite-go/skylite/adapters/langchaingo"
	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

func store(t testing.TB) *ond1.Store {
	t.Helper()
	db, err := d1.Open("file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := ond1.New(db, ond1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func history(t testing.TB, s memory.Store) *langchaingo.History {
	t.Helper()
	h, err := langchaingo.New(s, langchaingo.Config{ThreadID: "t", ResourceID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func want(t *testing.T, h *langchaingo.History, want ...llms.ChatMessage) {
	t.Helper()
	got, err := h.Messages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("messages %#v; want %#v", got, want)
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	s := store(t)
	h := history(t, s)
	want(t, h)
	all := []llms.ChatMessage{
		llms.SystemChatMessage{Content: "Be kind."},
		llms.HumanChatMessage{Content: "2+2?"},
		llms.AIChatMessage{ReasoningContent: "hm", ToolCalls: []llms.ToolCall{
			{ID: "c1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "calc", Arguments: `{"a":2,"b":2}`}},
			{ID: "c2", Type: "function", FunctionCall: &llms.FunctionCall{Name: "odd", Arguments: `not JSON`}}}},
		llms.ToolChatMessage{ID: "c1", Content: "4"},
		llms.FunctionChatMessage{Name: "f", Content: "5"},
		llms.AIChatMessage{Content: "4", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}},
		llms.GenericChatMessage{Content: "yes", Role: "judge", Name: "Ada"},
		llms.HumanChatMessage{Content: ""},
	}
	for _, m := range all {
		if err := h.AddMessage(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	want(t, h, all...)
	if err := h.AddMessage(t.Context(), nil); err == nil {
		t.Error("no message is accepted")
	}
	// Messages of another program.
	if _, err := s.SaveMessages(t.Context(), []memory.Message{{ID: "x", ThreadID: "t", ResourceID: "r", Role: "assistant",
		Content: []byte(`{"format":2,"parts":[{"type":"text","text":"hello"},{"type":"tool-invocation","toolInvocation":{"state":"call","toolCallId":"c","toolName":"n","args":{}}}]}`)}}); err != nil {
		t.Fatal(err)
	}
	want(t, h, append(all, llms.AIChatMessage{Content: "hello", ToolCalls: []llms.ToolCall{
		{ID: "c", Type: "function", FunctionCall: &llms.FunctionCall{Name: "n", Arguments: "{}"}}}})...)
}

func TestSetMessages(t *testing.T) {
	t.Parallel()
	s := store(t)
	h := history(t, s)
	ctx := t.Context()
	var all []llms.ChatMessage
	for i := range 6 {
		m := llms.HumanChatMessage{Content: fmt.Sprint("m", i)}
		all = append(all, m)
		if err := h.AddMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	archive := func(n int) {
		t.Helper()
		page, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All})
		if err != nil || len(page.Messages) != n {
			t.Errorf("%d messages in the thread; want %d, error %v", len(page.Messages), n, err)
		}
	}
	set := func(messages ...llms.ChatMessage) {
		t.Helper()
		if err := h.SetMessages(ctx, messages); err != nil {
			t.Fatal(err)
		}
		want(t, h, messages...)
	}
	set(all[4:]...) // the end of it: it only begins later
	archive(6)
	set(all[5:]...)
	archive(6)
	set(llms.AIChatMessage{Content: "other"}, llms.AIChatMessage{Content: "more"}) // in place of m5
	archive(7)
	set(llms.AIChatMessage{Content: "more"})
	archive(7)
	set()
	if err := h.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	want(t, h)
	archive(0)
	set(all[:2]...)
	archive(2)
}

// TestWindowBuffer holds that a window does not empty the archive.
func TestWindowBuffer(t *testing.T) {
	t.Parallel()
	s := store(t)
	buffer := lcmemory.NewConversationWindowBuffer(2, lcmemory.WithChatHistory(history(t, s)), lcmemory.WithReturnMessages(true))
	for i := range 5 {
		if err := buffer.SaveContext(t.Context(), map[string]any{"input": fmt.Sprint("q", i)}, map[string]any{"output": fmt.Sprint("a", i)}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := buffer.LoadMemoryVariables(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	messages := got["history"].([]llms.ChatMessage)
	if len(messages) != 4 || messages[0].GetContent() != "q3" || messages[3].GetContent() != "a4" {
		t.Errorf("the window has %v", messages)
	}
	page, err := s.ListMessages(t.Context(), memory.MessageQuery{ThreadIDs: []string{"t"}})
	if err != nil || len(page.Messages) != 10 {
		t.Errorf("the archive has %d messages, error %v", len(page.Messages), err)
	}
}

func Example() {
	ctx := context.Background()
	db, err := d1.Open("file::memory:") // or file:chat.db, or d1://ACCOUNT_ID/DATABASE
	if err != nil {
		panic(err)
	}
	defer db.Close()
	store, err := ond1.New(db, ond1.Config{})
	if err != nil {
		panic(err)
	}
	history, err := langchaingo.New(store, langchaingo.Config{ThreadID: "trip", ResourceID: "ada"})
	if err != nil {
		panic(err)
	}
	buffer := lcmemory.NewConversationBuffer(lcmemory.WithChatHistory(history))
	if err := buffer.SaveContext(ctx, map[string]any{"in": "Where to?"}, map[string]any{"out": "To Oslo."}); err != nil {
		panic(err)
	}
	loaded, err := buffer.LoadMemoryVariables(ctx, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(loaded["history"])
	// Output:
	// Human: Where to?
	// AI: To Oslo.
}
