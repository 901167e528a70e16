package eino_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/skylite-go/skylite/adapters/eino"
	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/embedded"
	kvond1 "github.com/skylite-go/skylite/kv/ond1"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

func database(t testing.TB) *d1.DB {
	t.Helper()
	db, err := d1.Open("file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func history(t testing.TB) (*eino.History, *ond1.Store) {
	t.Helper()
	s, err := ond1.New(database(t), ond1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := eino.NewHistory(s, eino.Config{ThreadID: "t", ResourceID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

func TestHistory(t *testing.T) {
	t.Parallel()
	h, s := history(t)
	ctx := t.Context()
	if got, err := h.Load(ctx, 0); err != nil || len(got) != 0 {
		t.Errorf("%v, error %v", got, err)
	}
	all := []*schema.Message{
		schema.SystemMessage("Be kind."),
		schema.UserMessage("2+2?"),
		{Role: schema.Assistant, ReasoningContent: "hm", ToolCalls: []schema.ToolCall{{ID: "c1", Type: "function",
			Function: schema.FunctionCall{Name: "calc", Arguments: `{"a":2}`}}}, Extra: map[string]any{"k": "v"}},
		schema.ToolMessage("4", "c1", schema.WithToolName("calc")),
		{Role: schema.Assistant, Content: "4", ResponseMeta: &schema.ResponseMeta{FinishReason: "stop", Usage: &schema.TokenUsage{TotalTokens: 7}}},
	}
	if err := h.Append(ctx, all...); err != nil {
		t.Fatal(err)
	}
	got, err := h.Load(ctx, 0)
	if err != nil || !reflect.DeepEqual(got, all) {
		t.Errorf("%v, error %v", got, err)
	}
	if got, err = h.Load(ctx, 2); err != nil || !reflect.DeepEqual(got, all[4:]) { // the result of a tool alone is left out
		t.Errorf("%v, error %v", got, err)
	}
	if err := h.Append(ctx, nil); err == nil {
		t.Error("no message is accepted")
	}
	if _, err := s.SaveMessages(ctx, []memory.Message{{ID: "x", ThreadID: "t", ResourceID: "r", Role: "user", Content: memory.TextContent("of another")}}); err != nil {
		t.Fatal(err)
	}
	if got, err = h.Load(ctx, 1); err != nil || got[0].Content != "of another" || got[0].Role != schema.User {
		t.Errorf("%v, error %v", got, err)
	}
	if err := h.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Load(ctx, 0); err != nil || len(got) != 0 {
		t.Errorf("%v, error %v", got, err)
	}
}

// scripted is a model that answers in turn, and remembers what it was asked.
type scripted struct {
	answers []*schema.Message
	asked   *[]string
}

func (m scripted) Generate(_ context.Context, input []*schema.Message, _ ...model.Option) (*schema.Message, error) {
	var texts []string
	for _, message := range input {
		texts = append(texts, string(message.Role)+":"+strings.TrimSpace(message.Content))
	}
	*m.asked = append(*m.asked, strings.Join(texts, " "))
	return m.answers[len(*m.asked)-1], nil
}

func (m scripted) Stream(ctx context.Context, input []*schema.Message, opts ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	message, err := m.Generate(ctx, input, opts...)
	return schema.StreamReaderFromArray([]*schema.Message{message}), err
}

func (m scripted) WithTools([]*schema.ToolInfo) (model.ToolCallingChatModel, error) { return m, nil }

// TestMiddleware lets an agent with a tool talk twice.
func TestMiddleware(t *testing.T) {
	t.Parallel()
	h, s := history(t)
	ctx := t.Context()
	add, err := utils.InferTool("add", "adds", func(_ context.Context, in struct{ A, B int }) (int, error) { return in.A + in.B, nil })
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	answers := []*schema.Message{
		schema.AssistantMessage("", []schema.ToolCall{{ID: "c1", Function: schema.FunctionCall{Name: "add", Arguments: `{"A":2,"B":2}`}}}),
		schema.AssistantMessage("It is 4.", nil),
		schema.AssistantMessage("You asked for 2+2.", nil),
	}
	run := func(question string) {
		t.Helper()
		agent, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
			Name: "a", Description: "d", Instruction: "Be kind.", Model: scripted{answers, &asked},
			ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: compose.ToolsNodeConfig{Tools: []tool.BaseTool{add}}},
			Middlewares: []adk.AgentMiddleware{h.Middleware(20)},
		})
		if err != nil {
			t.Fatal(err)
		}
		events := adk.NewRunner(ctx, adk.RunnerConfig{Agent: agent}).Run(ctx, []adk.Message{schema.UserMessage(question)})
		for {
			event, ok := events.Next()
			if !ok {
				return
			}
			if event.Err != nil {
				t.Fatal(event.Err)
			}
		}
	}
	run("2+2?")
	run("What did I ask?")
	want := []string{
		"system:Be kind. user:2+2?",
		"system:Be kind. user:2+2? assistant: tool:4",
		"system:Be kind. user:2+2? assistant: tool:4 assistant:It is 4. user:What did I ask?",
	}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("the model was asked %q; want %q", asked, want)
	}
	page, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t"}})
	if err != nil || len(page.Messages) != 6 || strings.Contains(string(page.Messages[0].Content), "skylite_message_id") {
		t.Errorf("%d messages are kept, error %v", len(page.Messages), err)
	}
}

// TestCheckPoints interrupts a graph and goes on with it in another process's place.
func TestCheckPoints(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ns, err := kvond1.New(database(t), kvond1.Config{Namespace: "checkpoints"})
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	store := eino.NewCheckPoints(ns, "run:")
	compile := func() compose.Runnable[string, string] {
		g := compose.NewGraph[string, string]()
		step := func(name string) *compose.Lambda {
			return compose.InvokableLambda(func(_ context.Context, in string) (string, error) { return in + name, nil })
		}
		_ = g.AddLambdaNode("a", step("a"))
		_ = g.AddLambdaNode("b", step("b"))
		_ = g.AddEdge(compose.START, "a")
		_ = g.AddEdge("a", "b")
		_ = g.AddEdge("b", compose.END)
		r, err := g.Compile(ctx, compose.WithCheckPointStore(store), compose.WithInterruptBeforeNodes([]string{"b"}))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	_, err = compile().Invoke(ctx, "in-", compose.WithCheckPointID("1"))
	if _, ok := compose.ExtractInterruptInfo(err); !ok {
		t.Fatalf("error %v; want an interrupt", err)
	}
	if out, err := compile().Invoke(ctx, "", compose.WithCheckPointID("1")); err != nil || out != "in-ab" {
		t.Errorf("%q, error %v", out, err)
	}
	if err := store.Delete(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := store.Get(ctx, "1"); ok || err != nil {
		t.Errorf("found %v, error %v", ok, err)
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
	history, err := eino.NewHistory(store, eino.Config{ThreadID: "trip", ResourceID: "ada"})
	if err != nil {
		panic(err)
	}
	if err := history.Append(ctx, schema.UserMessage("Where to?"), schema.AssistantMessage("To Oslo.", nil)); err != nil {
		panic(err)
	}
	messages, err := history.Load(ctx, 10)
	if err != nil {
		panic(err)
	}
	for _, m := range messages {
		fmt.Printf("%s: %s\n", m.Role, m.Content)
	}
	// Output:
	// user: Where to?
	// assistant: To Oslo.
}
