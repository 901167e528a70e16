package server

import (
	"context"
	"testing"
	"time"
)

func TestUnheardExportsEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	abandoned := &task{kind: "export", cancel: cancel, done: make(chan struct{})}
	abandoned.unheard(time.Millisecond)
	if ctx.Err() == nil {
		t.Error("an export that nobody polls for goes on")
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	over := &task{kind: "export", cancel: cancel, done: make(chan struct{})}
	close(over.done)
	over.unheard(time.Hour)
	if ctx.Err() != nil {
		t.Error("an export that is over was ended")
	}
}
