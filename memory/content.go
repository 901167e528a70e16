package memory

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
)

// Content is what a message in format 2 says. Fields that it does not name, and parts of
// kinds that it does not know, are in the message's content still.
type Content struct {
	// Format is 2.
	Format int `json:"format"`
	// Parts are what it is made of, in order.
	Parts []Part `json:"parts"`
	// Text is the field content: the whole text once more, where the writer gave it.
	Text string `json:"content,omitempty"`
	// Metadata is whatever was kept with it.
	Metadata Object `json:"metadata,omitempty"`
}

// Part is a part of a message.
type Part struct {
	// Type is text, reasoning, tool-invocation, file, source, step-start or any other.
	Type string `json:"type"`
	// Text is that of a text.
	Text string `json:"text,omitempty"`
	// Reasoning is that of reasoning.
	Reasoning string `json:"reasoning,omitempty"`
	// ToolInvocation is that of a tool-invocation.
	ToolInvocation *ToolInvocation `json:"toolInvocation,omitempty"`
	// MimeType, Data and URL are those of a file.
	MimeType string `json:"mimeType,omitempty"`
	Data     string `json:"data,omitempty"`
	URL      string `json:"url,omitempty"`
	// Raw is the whole part.
	Raw json.RawMessage `json:"-"`
}

// ToolInvocation is a call of a tool, and its result once there is one.
type ToolInvocation struct {
	// State is partial-call, call, result or another.
	State string `json:"state"`
	// ToolCallID names the call.
	ToolCallID string `json:"toolCallId"`
	// ToolName names the tool.
	ToolName string `json:"toolName"`
	// Args are the call's arguments, and Result its result.
	Args   json.RawMessage `json:"args,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// UnmarshalJSON reads a part and keeps all of it in Raw.
func (p *Part) UnmarshalJSON(data []byte) error {
	type fields Part
	if err := json.Unmarshal(data, (*fields)(p)); err != nil {
		return err
	}
	p.Raw = append(json.RawMessage(nil), data...)
	return nil
}

// ParseContent reads a message's content. Content of the time before format 2, a text or
// an array of parts, is read as what it is in format 2.
func ParseContent(content json.RawMessage) (Content, error) {
	var text string
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte{'"'}) && json.Unmarshal(content, &text) == nil {
		return Content{Format: 2, Parts: []Part{{Type: "text", Text: text}}, Text: text}, nil
	}
	c := Content{Format: 2}
	if json.Unmarshal(content, &c.Parts) == nil && c.Parts != nil {
		return c, nil
	}
	c = Content{}
	if err := json.Unmarshal(content, &c); err != nil {
		return c, fmt.Errorf("memory: the content is not one that this package reads: %w", err)
	}
	if c.Format != 2 {
		return c, fmt.Errorf("memory: the content is of format %d, and not of format 2", c.Format)
	}
	return c, nil
}

// String returns the texts of the parts, or the field content where there are none.
func (c Content) String() string {
	var texts []string
	for _, p := range c.Parts {
		if p.Type == "text" {
			texts = append(texts, p.Text)
		}
	}
	if texts == nil {
		return c.Text
	}
	return strings.Join(texts, "")
}

// TextContent returns the content of a message that says a text, in format 2.
func TextContent(text string) json.RawMessage {
	content, err := EncodeJSON(Content{Format: 2, Parts: []Part{{Type: "text", Text: text}}, Text: text})
	if err != nil { // it is not valid UTF-8
		return TextContent(strings.ToValidUTF8(text, "\uFFFD"))
	}
	return content
}

// NewID returns a random id, a UUID of version 4.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
