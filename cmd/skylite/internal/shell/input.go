package shell

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// Input gives a shell its lines, without their ends.
type Input interface {
	// Line returns the next line; prompt is for people. The error is [io.EOF] at the
	// end and [ErrInterrupted] if the line was abandoned.
	Line(ctx context.Context, prompt string) (string, error)
}

// Lines is an Input without prompts: a pipe or a file.
func Lines(r io.Reader) Input { return &lines{r: bufio.NewReader(r)} }

type lines struct{ r *bufio.Reader }

func (l *lines) Line(ctx context.Context, _ string) (string, error) {
	return wait(ctx, func() (string, error) {
		line, err := l.r.ReadString('\n')
		if err == io.EOF && line != "" {
			err = nil
		}
		return strings.TrimSuffix(line, "\n"), err
	})
}

// wait runs a function that may block for ever until the context ends. What it returns
// then is lost: so is the shell.
func wait[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := f()
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}
