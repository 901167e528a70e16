// Package langchaingo keeps the chat histories of langchaingo in a memory.Store.
//
//	history, err := langchaingo.New(store, langchaingo.Config{ThreadID: "t1", ResourceID: "user-7"})
//	buffer := lcmemory.NewConversationBuffer(lcmemory.WithChatHistory(history))
//
// Messages come back as they were: calls of tools and their results, system and generic
// messages too. Other programs see them as messages of format 2, and messages of others,
// as Mastra's, are read as what their role says.
//
// Buffers with a window call SetMessages after every turn, with what is to be left. Here
// that moves the beginning of the history, which is kept in the thread's metadata, and
// what was before it stays in the thread.
package langchaingo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/skylite-go/skylite/memory"
)

// Config names a history.
type Config struct {
	// ThreadID names the thread that holds it. The first message makes the thread.
	ThreadID string
	// ResourceID names whom it belongs to; empty means the ThreadID.
	ResourceID string
}

// History is a chat history in a thread. It is safe for concurrent use.
type History struct {
	store memory.Store
	cfg   Config
	made  atomic.Bool // the thread exists
}

var _ schema.ChatMessageHistory = (*History)(nil)

// New returns a history in a store. Nothing is sent.
func New(store memory.Store, cfg Config) (*History, error) {
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

// AddUserMessage adds what a human says.
func (h *History) AddUserMessage(ctx context.Context, text string) error {
	return h.AddMessage(ctx, llms.HumanChatMessage{Content: text})
}

// AddAIMessage adds what the model says.
func (h *History) AddAIMessage(ctx context.Context, text string) error {
	return h.AddMessage(ctx, llms.AIChatMessage{Content: text})
}

// AddMessage adds a message of any of langchaingo's types.
func (h *History) AddMessage(ctx context.Context, message llms.ChatMessage) error {
	m, err := h.encode(message)
	if err != nil {
		return err
	}
	if err := h.make(ctx); err != nil {
		return err
	}
	_, err = h.store.SaveMessages(ctx, []memory.Message{m})
	return err
}

// make makes the thread, if it does not exist.
func (h *History) make(ctx context.Context) error {
	if h.made.Load() {
		return nil
	}
	_, err := h.store.GetThread(ctx, h.cfg.ThreadID)
	if errors.Is(err, memory.ErrNotFound) {
		_, err = h.store.SaveThread(ctx, memory.Thread{ID: h.cfg.ThreadID, ResourceID: h.cfg.ResourceID})
	}
	if err == nil {
		h.made.Store(true)
	}
	return err
}

// Messages returns the history, from its beginning on, in a new slice.
func (h *History) Messages(ctx context.Context) ([]llms.ChatMessage, error) {
	visible, _, err := h.visible(ctx)
	if err != nil {
		return nil, err
	}
	return decodeAll(visible)
}

func decodeAll(messages []memory.Message) ([]llms.ChatMessage, error) {
	all := make([]llms.ChatMessage, 0, len(messages))
	for _, m := range messages {
		message, err := decode(m)
		if err != nil {
			return nil, err
		}
		all = append(all, message)
	}
	return all, nil
}

// start is the message behind which the history begins in its thread.
type start struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

const startKey = "langchaingo"

// visible returns the history's messages, and where it begins.
func (h *History) visible(ctx context.Context) ([]memory.Message, start, error) {
	var from start
	thread, err := h.store.GetThread(ctx, h.cfg.ThreadID)
	if errors.Is(err, memory.ErrNotFound) {
		return nil, from, nil
	}
	if err != nil {
		return nil, from, err
	}
	if value, ok := thread.Metadata[startKey]; ok && value != nil {
		text, err := memory.EncodeJSON(value)
		if err == nil {
			err = json.Unmarshal(text, &from)
		}
		if err != nil {
			return nil, from, fmt.Errorf("memory: where the history of thread %q begins: %w", h.cfg.ThreadID, err)
		}
	}
	page, err := h.store.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{h.cfg.ThreadID}, Start: from.At, PerPage: memory.All})
	if err != nil {
		return nil, from, err
	}
	at := slices.IndexFunc(page.Messages, func(m memory.Message) bool { return m.ID == from.ID })
	return page.Messages[at+1:], from, nil
}

// SetMessages replaces the history, in one step. If the new one is the end of the old one,
// it only begins later; nothing is removed. Any other needs a store that is a
// [memory.Replacer].
func (h *History) SetMessages(ctx context.Context, messages []llms.ChatMessage) error {
	visible, from, err := h.visible(ctx)
	if err != nil {
		return err
	}
	now, err := decodeAll(visible)
	if err != nil {
		return err
	}
	n := len(now) - len(messages)
	if n < 0 || len(messages) == 0 || !reflect.DeepEqual(now[n:], messages) {
		return h.replace(ctx, visible, from, messages)
	}
	if n == 0 {
		return nil
	}
	return h.begin(ctx, &start{visible[n-1].ID, visible[n-1].CreatedAt})
}

func (h *History) begin(ctx context.Context, from *start) error {
	_, err := h.store.UpdateThread(ctx, h.cfg.ThreadID, memory.ThreadUpdate{Metadata: memory.Object{startKey: from}})
	return err
}

// replace stores other messages in place of those that are visible, behind those that are
// not.
func (h *History) replace(ctx context.Context, visible []memory.Message, from start, messages []llms.ChatMessage) error {
	replacer, ok := h.store.(memory.Replacer)
	if !ok {
		return fmt.Errorf("memory: this store cannot replace messages in one step: %w", errors.ErrUnsupported)
	}
	var all []memory.Message
	if from.ID != "" {
		page, err := h.store.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{h.cfg.ThreadID}, PerPage: memory.All})
		if err != nil {
			return err
		}
		all = page.Messages[:max(len(page.Messages)-len(visible), 0)]
	}
	for _, message := range messages {
		m, err := h.encode(message)
		if err != nil {
			return err
		}
		all = append(all, m)
	}
	if err := h.make(ctx); err != nil {
		return err
	}
	_, err := replacer.ReplaceMessages(ctx, h.cfg.ThreadID, all)
	return err
}

// Clear removes all messages of the thread, those before the history's beginning too.
func (h *History) Clear(ctx context.Context) error {
	if _, err := h.store.GetThread(ctx, h.cfg.ThreadID); errors.Is(err, memory.ErrNotFound) {
		return nil
	}
	if err := h.begin(ctx, nil); err != nil {
		return err
	}
	if replacer, ok := h.store.(memory.Replacer); ok {
		_, err := replacer.ReplaceMessages(ctx, h.cfg.ThreadID, nil)
		return err
	}
	page, err := h.store.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{h.cfg.ThreadID}, PerPage: memory.All})
	if err != nil {
		return err
	}
	ids := make([]string, len(page.Messages))
	for i, m := range page.Messages {
		ids[i] = m.ID
	}
	return h.store.DeleteMessages(ctx, ids)
}
