package langchaingo

import (
	"encoding/json"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/skylite-go/skylite/memory"
)

// record is what format 2 has no words for, in the content's metadata.
type record struct {
	Type         llms.ChatMessageType `json:"type"`
	Content      string               `json:"content"`
	Role         string               `json:"role,omitempty"`
	Name         string               `json:"name,omitempty"`
	ID           string               `json:"id,omitempty"`
	Reasoning    string               `json:"reasoning,omitempty"`
	FunctionCall *call                `json:"functionCall,omitempty"`
	ToolCalls    []toolCall           `json:"toolCalls,omitempty"`
}

type call struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type toolCall struct {
	ID           string `json:"id"`
	Type         string `json:"type"`
	FunctionCall *call  `json:"functionCall,omitempty"`
}

func toolCalls(calls []llms.ToolCall) (all []toolCall) {
	for _, c := range calls {
		all = append(all, toolCall{ID: c.ID, Type: c.Type, FunctionCall: (*call)(c.FunctionCall)})
	}
	return all
}

func (r record) toolCalls() (all []llms.ToolCall) {
	for _, c := range r.ToolCalls {
		all = append(all, llms.ToolCall{ID: c.ID, Type: c.Type, FunctionCall: (*llms.FunctionCall)(c.FunctionCall)})
	}
	return all
}

type content struct {
	Format   int               `json:"format"`
	Parts    []memory.Part     `json:"parts"`
	Text     string            `json:"content"`
	Metadata map[string]record `json:"metadata"`
}

// encode returns a message of langchaingo's as one of a thread.
func (h *History) encode(message llms.ChatMessage) (memory.Message, error) {
	m := memory.Message{ID: memory.NewID(), ThreadID: h.cfg.ThreadID, ResourceID: h.cfg.ResourceID}
	var r record
	switch v := message.(type) {
	case llms.AIChatMessage:
		m.Role = "assistant"
		r = record{Content: v.Content, FunctionCall: (*call)(v.FunctionCall), ToolCalls: toolCalls(v.ToolCalls), Reasoning: v.ReasoningContent}
	case llms.HumanChatMessage:
		m.Role, r = "user", record{Content: v.Content}
	case llms.SystemChatMessage:
		m.Role, r = "system", record{Content: v.Content}
	case llms.GenericChatMessage:
		m.Role, r = "user", record{Content: v.Content, Role: v.Role, Name: v.Name}
	case llms.FunctionChatMessage:
		m.Role, r = "tool", record{Content: v.Content, Name: v.Name}
	case llms.ToolChatMessage:
		m.Role, r = "tool", record{Content: v.Content, ID: v.ID}
	default:
		return m, memory.Invalidf("there is no way to keep a message of type %T", message)
	}
	r.Type = message.GetType()
	var parts []memory.Part
	if r.Content != "" || len(r.ToolCalls) == 0 {
		parts = append(parts, memory.Part{Type: "text", Text: r.Content})
	}
	for _, call := range r.ToolCalls {
		if call.FunctionCall == nil {
			continue
		}
		args := json.RawMessage(call.FunctionCall.Arguments)
		if !json.Valid(args) {
			args, _ = memory.EncodeJSON(call.FunctionCall.Arguments) // checked below
		}
		parts = append(parts, memory.Part{Type: "tool-invocation", ToolInvocation: &memory.ToolInvocation{
			State: "call", ToolCallID: call.ID, ToolName: call.FunctionCall.Name, Args: args}})
	}
	var err error
	m.Content, err = memory.EncodeJSON(content{Format: 2, Parts: parts, Text: r.Content, Metadata: map[string]record{"langchaingo": r}})
	return m, err
}

// decode returns a message of a thread as one of langchaingo's.
func decode(m memory.Message) (llms.ChatMessage, error) {
	var c struct {
		Metadata struct {
			Record *record `json:"langchaingo"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(m.Content, &c); err != nil || c.Metadata.Record == nil {
		return foreign(m)
	}
	switch r := c.Metadata.Record; r.Type {
	case llms.ChatMessageTypeAI:
		return llms.AIChatMessage{Content: r.Content, FunctionCall: (*llms.FunctionCall)(r.FunctionCall), ToolCalls: r.toolCalls(), ReasoningContent: r.Reasoning}, nil
	case llms.ChatMessageTypeHuman:
		return llms.HumanChatMessage{Content: r.Content}, nil
	case llms.ChatMessageTypeSystem:
		return llms.SystemChatMessage{Content: r.Content}, nil
	case llms.ChatMessageTypeGeneric:
		return llms.GenericChatMessage{Content: r.Content, Role: r.Role, Name: r.Name}, nil
	case llms.ChatMessageTypeFunction:
		return llms.FunctionChatMessage{Content: r.Content, Name: r.Name}, nil
	case llms.ChatMessageTypeTool:
		return llms.ToolChatMessage{Content: r.Content, ID: r.ID}, nil
	default:
		return nil, fmt.Errorf("memory: message %q is of langchaingo's type %q, which this version does not know", m.ID, r.Type)
	}
}

// foreign reads a message that another program has written.
func foreign(m memory.Message) (llms.ChatMessage, error) {
	c, err := memory.ParseContent(m.Content)
	if err != nil {
		return nil, fmt.Errorf("memory: message %q: %w", m.ID, err)
	}
	switch m.Role {
	case "user":
		return llms.HumanChatMessage{Content: c.String()}, nil
	case "system":
		return llms.SystemChatMessage{Content: c.String()}, nil
	case "assistant":
		ai := llms.AIChatMessage{Content: c.String()}
		for _, p := range c.Parts {
			if call := p.ToolInvocation; call != nil {
				ai.ToolCalls = append(ai.ToolCalls, llms.ToolCall{ID: call.ToolCallID, Type: "function",
					FunctionCall: &llms.FunctionCall{Name: call.ToolName, Arguments: string(call.Args)}})
			}
		}
		return ai, nil
	}
	return llms.GenericChatMessage{Content: c.String(), Role: m.Role}, nil
}
