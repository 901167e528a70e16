package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
)

// wait runs a function that may block for ever, such as reading from a terminal, until
// the context ends. What it returns then is lost, which does not matter: so is the
// process.
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

// readStdin reads standard input to its end.
func (a *app) readStdin(ctx context.Context) (string, error) {
	text, err := wait(ctx, func() ([]byte, error) { return io.ReadAll(a.stdin) })
	return string(text), err
}

// interactive reports whether there is somebody to ask.
func (a *app) interactive() bool { return isTerminal(a.stdin) && isTerminal(a.stderr) }

// confirm asks a question. Everything but yes is no.
func (a *app) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	line, err := wait(ctx, func() (string, error) { return bufio.NewReader(a.stdin).ReadString('\n') })
	if err != nil && err != io.EOF {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}
