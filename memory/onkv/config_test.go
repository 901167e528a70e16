//go:build !js

package onkv_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/onkv"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	ns := namespace(t, "a")
	for text, cfg := range map[string]onkv.Config{
		"Missing KV binding for table: threads":  {},
		"Missing KV binding for table: metadata": {Bindings: onkv.Bindings{Threads: ns, Messages: ns}},
		"cannot be used together":                {Namespace: ns, Bindings: onkv.Bindings{Threads: ns}},
		"UTF-8":                                  {Namespace: ns, KeyPrefix: "\xff"},
	} {
		if _, err := onkv.New(cfg); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v; want %s", err, text)
		}
	}
}

// counting counts calls.
type counting struct {
	kv.Namespace
	lists, reads int
}

func (c *counting) List(ctx context.Context, opts kv.ListOptions) (kv.Page, error) {
	c.lists++
	return c.Namespace.List(ctx, opts)
}

func (c *counting) GetManyWithMetadata(ctx context.Context, keys []string) (map[string]*kv.Entry, error) {
	c.reads++
	return c.Namespace.GetManyWithMetadata(ctx, keys)
}

// TestCosts holds that nothing reads what belongs to other threads, and what a list of a
// thread costs.
func TestCosts(t *testing.T) {
	t.Parallel()
	ns := &counting{Namespace: namespace(t, "a")}
	s := open(t, onkv.Config{Namespace: ns})
	ctx := t.Context()
	for i := range 3 {
		thread := fmt.Sprint("t", i)
		if _, err := s.SaveThread(ctx, memory.Thread{ID: thread, ResourceID: "r"}); err != nil {
			t.Fatal(err)
		}
		var messages []memory.Message
		for n := range 1100 {
			messages = append(messages, memory.Message{ID: fmt.Sprintf("%s-%d", thread, n), ThreadID: thread, ResourceID: "r", Role: "user", Content: memory.TextContent("x")})
		}
		if _, err := s.SaveMessages(ctx, messages); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name         string
		lists, reads int
		call         func() error
	}{
		{"the first page", 1, 1, func() error {
			_, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{"t1"}})
			return err
		}},
		{"the last 20", 2, 1, func() error { _, err := memory.Last(ctx, s, "t1", 20); return err }},
		{"a message", 0, 2, func() error { _, err := s.GetMessages(ctx, []string{"t1-7"}); return err }},
		{"saving 20", 0, 2, func() error {
			var messages []memory.Message
			for n := range 20 {
				messages = append(messages, memory.Message{ID: fmt.Sprint("n", n), ThreadID: "t1", ResourceID: "r", Role: "user", Content: memory.TextContent("x")})
			}
			_, err := s.SaveMessages(ctx, messages)
			return err
		}},
	} {
		ns.lists, ns.reads = 0, 0
		if err := c.call(); err != nil {
			t.Fatal(err)
		}
		if ns.lists != c.lists || ns.reads != c.reads {
			t.Errorf("%s: %d lists and %d reads; want %d and %d", c.name, ns.lists, ns.reads, c.lists, c.reads)
		}
	}
	long := strings.Repeat("i", 400)
	if _, err := s.SaveThread(ctx, memory.Thread{ID: long, ResourceID: long}); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("error %v", err)
	}
}
