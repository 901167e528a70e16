package rest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/skylite-go/skylite/kv"
)

// coalescer lets writes that arrive while a request is under way leave together in the next.
type coalescer struct {
	send func(ctx context.Context, writes []kv.Write, metadata []json.RawMessage) error

	mu      sync.Mutex
	sending bool
	waiting []*waiting
}

// waiting is a write that has not been sent, or has not been answered.
type waiting struct {
	ctx      context.Context
	write    kv.Write
	metadata json.RawMessage
	left     bool // its caller gave up before it was sent
	sent     bool
	done     chan error
}

// put does a write, perhaps together with others.
func (c *coalescer) put(ctx context.Context, op string, w kv.Write, metadata json.RawMessage) error {
	if err := ctx.Err(); err != nil {
		return &kv.Error{Op: op, Key: w.Key, Outcome: kv.OutcomeUnsent, Err: err}
	}
	w.Value = slices.Clone(w.Value) // the caller may leave before it is sent
	mine := &waiting{ctx: ctx, write: w, metadata: metadata, done: make(chan error, 1)}
	c.mu.Lock()
	c.waiting = append(c.waiting, mine)
	if !c.sending {
		c.sending = true
		go c.run()
	}
	c.mu.Unlock()
	select {
	case err := <-mine.done:
		return ofKey(op, w.Key, err)
	case <-ctx.Done():
		return c.leave(op, mine)
	}
}

// leave gives up a write: it is taken back if it has not been sent.
func (c *coalescer) leave(op string, mine *waiting) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &kv.Error{Op: op, Key: mine.write.Key, Outcome: kv.OutcomeUnknown, Err: mine.ctx.Err()}
	if !mine.sent {
		mine.left = true
		e.Outcome = kv.OutcomeUnsent
	}
	return e
}

// ofKey is what an error of a batch says of one key.
func ofKey(op, key string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*kv.BatchError](err); ok {
		if !slices.Contains(e.Keys, key) {
			return nil
		}
		err = e.Err
	}
	if e, ok := errors.AsType[*kv.Error](err); ok {
		mine := *e
		mine.Op, mine.Key = op, key
		return &mine
	}
	return err
}

// run sends what waits until nothing does.
func (c *coalescer) run() {
	for {
		group := c.next()
		if group == nil {
			return
		}
		c.do(group)
	}
}

// next takes the writes that wait, one of each key: those of one caller stay in order.
func (c *coalescer) next() (group []*waiting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := map[string]bool{}
	size := 0
	var later []*waiting
	for _, w := range c.waiting {
		switch {
		case w.left:
		case seen[w.write.Key] || len(group) == kv.MaxBatch || len(group) > 0 && size+len(w.write.Value) > maxBulkBytes/2:
			later = append(later, w)
			seen[w.write.Key] = true
		default:
			seen[w.write.Key] = true
			size += len(w.write.Value)
			w.sent = true
			group = append(group, w)
		}
	}
	c.waiting = later
	if group == nil {
		c.sending = false
	}
	return group
}

// do sends a group. The request is nobody's alone, so it goes on while one caller waits.
func (c *coalescer) do(group []*waiting) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(group[0].ctx))
	defer cancel()
	var mu sync.Mutex
	left := len(group)
	writes := make([]kv.Write, len(group))
	metadata := make([]json.RawMessage, len(group))
	for i, w := range group {
		writes[i], metadata[i] = w.write, w.metadata
		stop := context.AfterFunc(w.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				cancel()
			}
		})
		defer stop()
	}
	err := c.send(ctx, writes, metadata)
	for _, w := range group {
		w.done <- err
	}
}
