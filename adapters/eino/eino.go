// Package eino keeps what eino's agents have to remember: their conversations in a
// memory.Store, and their checkpoints in a kv.Namespace.
//
//	history, err := eino.NewHistory(store, eino.Config{ThreadID: "t1", ResourceID: "user-7"})
//	agent, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
//		…, Middlewares: []adk.AgentMiddleware{history.Middleware(20)},
//	})
//	runner := adk.NewRunner(ctx, adk.RunnerConfig{Agent: agent, CheckPointStore: eino.NewCheckPoints(ns, "")})
//
// Messages are kept as they are, with everything that eino puts into them; other programs
// see them as messages of format 2, and messages of others, as Mastra's, are read as what
// their role says.
package eino

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/schema"

	"github.com/skylite-go/skylite/memory"
)

// Config names a history.
type Config struct {
	// ThreadID names the thread that holds it. The first message makes the thread.
	ThreadID string
	// ResourceID names whom it belongs to; empty means the ThreadID.
	ResourceID string
}

// History is a conversation in a thread. It is safe for concurrent use.
type History struct {
	store memory.Store
	cfg   Config
	made  atomic.Bool // the thread exists
}

// NewHistory returns a history in a store. Nothing is sent.
func NewHistory(store memory.Store, cfg Config) (*History, error) {
	if store == nil {
		return nil, memory.Invalidf("the store is missing")
	}
	if cfg.ResourceID == "" {
		cfg.ResourceID = cfg.ThreadID
	}
	if err := memory.CheckID("ThreadID", cfg.ThreadID); err != nil {
		return nil, err
	}
	if err := memory.CheckID("ResourceID", cfg.ResourceID); err != nil {
		return nil, err
	}
	return &History{store: store, cfg: cfg}, nil
}

// idKey is where a message in an agent's state has its id in the thread.
const idKey = "skylite_message_id"

// Append adds messages, all or none.
func (h *History) Append(ctx context.Context, messages ...*schema.Message) error {
	_, err := h.append(ctx, messages)
	return err
}

func (h *History) append(ctx context.Context, messages []*schema.Message) ([]memory.Message, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	all := make([]memory.Message, len(messages))
	for i, message := range messages {
		var err error
		if all[i], err = h.encode(message); err != nil {
			return nil, err
		}
	}
	if !h.made.Load() {
		_, err := h.store.GetThread(ctx, h.cfg.ThreadID)
		if errors.Is(err, memory.ErrNotFound) {
			_, err = h.store.SaveThread(ctx, memory.Thread{ID: h.cfg.ThreadID, ResourceID: h.cfg.ResourceID})
		}
		if err != nil {
			return nil, err
		}
		h.made.Store(true)
	}
	return h.store.SaveMessages(ctx, all)
}

// Load returns the last messages, in their order: so many, or all if last is 0. Results of
// tools whose calls would be cut off are left out.
func (h *History) Load(ctx context.Context, last int) ([]*schema.Message, error) {
	if last == 0 {
		last = memory.All
	}
	stored, err := memory.Last(ctx, h.store, h.cfg.ThreadID, last)
	if err != nil {
		return nil, err
	}
	if len(stored) == last {
		for len(stored) > 0 && stored[0].Role == string(schema.Tool) {
			stored = stored[1:]
		}
	}
	all := make([]*schema.Message, len(stored))
	for i, m := range stored {
		if all[i], err = decode(m); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Clear removes the thread with all its messages.
func (h *History) Clear(ctx context.Context) error {
	h.made.Store(false)
	return h.store.DeleteThread(ctx, h.cfg.ThreadID)
}

// Middleware lets an agent remember: before the model is asked for the first time, it is
// told the last messages of the history (all if last is 0), behind what the system says;
// and after each answer all that is new, but what the system says, is appended. The result
// of a tool is appended with the answer that follows it, and so is not if the agent
// returns it directly. Messages in the agent's state have their ids in Extra.
func (h *History) Middleware(last int) adk.AgentMiddleware {
	return adk.AgentMiddleware{
		BeforeChatModel: func(ctx context.Context, state *adk.ChatModelAgentState) error {
			if slices.ContainsFunc(state.Messages, known) {
				return nil
			}
			stored, err := h.Load(ctx, last)
			if err != nil {
				return err
			}
			for i, m := range stored {
				stored[i] = withID(m, "history")
			}
			at := 0
			for at < len(state.Messages) && state.Messages[at].Role == schema.System {
				at++
			}
			state.Messages = slices.Concat(state.Messages[:at], stored, state.Messages[at:])
			return nil
		},
		AfterChatModel: func(ctx context.Context, state *adk.ChatModelAgentState) error {
			var fresh []*schema.Message
			var at []int
			for i, m := range state.Messages {
				if m.Role != schema.System && !known(m) {
					fresh, at = append(fresh, m), append(at, i)
				}
			}
			saved, err := h.append(ctx, fresh)
			if err != nil {
				return err
			}
			state.Messages = slices.Clone(state.Messages)
			for n, i := range at {
				state.Messages[i] = withID(state.Messages[i], saved[n].ID)
			}
			return nil
		},
	}
}

func known(m *schema.Message) bool { return m.Extra[idKey] != nil }

func withID(m *schema.Message, id string) *schema.Message {
	marked := *m
	if marked.Extra = maps.Clone(m.Extra); marked.Extra == nil {
		marked.Extra = map[string]any{}
	}
	marked.Extra[idKey] = id
	return &marked
}

type content struct {
	Format   int                        `json:"format"`
	Parts    []memory.Part              `json:"parts"`
	Text     string                     `json:"content"`
	Metadata map[string]*schema.Message `json:"metadata"`
}

// encode returns a message of eino's as one of the thread.
func (h *History) encode(message *schema.Message) (memory.Message, error) {
	if message == nil {
		return memory.Message{}, memory.Invalidf("a message is nil")
	}
	m := memory.Message{ID: memory.NewID(), ThreadID: h.cfg.ThreadID, ResourceID: h.cfg.ResourceID, Role: string(message.Role)}
	if known(message) {
		bare := *message
		bare.Extra = maps.Clone(message.Extra)
		if delete(bare.Extra, idKey); len(bare.Extra) == 0 {
			bare.Extra = nil
		}
		message = &bare
	}
	var parts []memory.Part
	if message.ReasoningContent != "" {
		parts = append(parts, memory.Part{Type: "reasoning", Reasoning: message.ReasoningContent})
	}
	if message.Content != "" || len(message.ToolCalls) == 0 {
		parts = append(parts, memory.Part{Type: "text", Text: message.Content})
	}
	for _, call := range message.ToolCalls {
		args := json.RawMessage(call.Function.Arguments)
		if !json.Valid(args) {
			var err error
			if args, err = memory.EncodeJSON(call.Function.Arguments); err != nil {
				return m, memory.Invalidf("the arguments of a call of %q: %v", call.Function.Name, err)
			}
		}
		parts = append(parts, memory.Part{Type: "tool-invocation", ToolInvocation: &memory.ToolInvocation{
			State: "call", ToolCallID: call.ID, ToolName: call.Function.Name, Args: args}})
	}
	var err error
	m.Content, err = memory.EncodeJSON(content{Format: 2, Parts: parts, Text: message.Content, Metadata: map[string]*schema.Message{"eino": message}})
	return m, err
}

// decode returns a message of a thread as one of eino's.
func decode(m memory.Message) (*schema.Message, error) {
	var own struct {
		Metadata struct {
			Message *schema.Message `json:"eino"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(m.Content, &own); err == nil && own.Metadata.Message != nil {
		return own.Metadata.Message, nil
	}
	c, err := memory.ParseContent(m.Content)
	if err != nil {
		return nil, fmt.Errorf("memory: message %q: %w", m.ID, err)
	}
	message := &schema.Message{Role: schema.RoleType(m.Role), Content: c.String()}
	for _, p := range c.Parts {
		if call := p.ToolInvocation; call != nil && message.Role == schema.Assistant {
			message.ToolCalls = append(message.ToolCalls, schema.ToolCall{ID: call.ToolCallID, Type: "function",
				Function: schema.FunctionCall{Name: call.ToolName, Arguments: string(call.Args)}})
		}
	}
	return message, nil
}
