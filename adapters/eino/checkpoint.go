package eino

import (
	"context"
	"errors"

	"github.com/cloudwego/eino/compose"

	"github.com/skylite-go/skylite/kv"
)

// CheckPoints keeps the checkpoints of interrupted runs in a namespace. It is safe for
// concurrent use; the last of two writes of one checkpoint wins.
//
// On Workers KV a checkpoint may take a minute to be seen elsewhere. On a namespace of
// kv/ond1 it is seen at once.
type CheckPoints struct {
	ns     kv.Namespace
	prefix string
}

var _ compose.CheckPointStore = (*CheckPoints)(nil)

// NewCheckPoints returns a store whose keys begin with a prefix. The namespace stays the
// caller's to close.
func NewCheckPoints(ns kv.Namespace, prefix string) *CheckPoints { return &CheckPoints{ns, prefix} }

// Get returns a checkpoint, and whether there is one.
func (c *CheckPoints) Get(ctx context.Context, id string) ([]byte, bool, error) {
	value, err := c.ns.Get(ctx, c.prefix+id)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, false, nil
	}
	return value, err == nil, err
}

// Set stores a checkpoint, in place of one with its id.
func (c *CheckPoints) Set(ctx context.Context, id string, checkPoint []byte) error {
	return c.ns.Put(ctx, c.prefix+id, checkPoint, kv.PutOptions{})
}

// Delete removes a checkpoint. That there is none is no error.
func (c *CheckPoints) Delete(ctx context.Context, id string) error {
	return c.ns.Delete(ctx, c.prefix+id)
}
