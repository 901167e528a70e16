package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
)

// readStdin reads standard input to its end.
func (a *app) readStdin(ctx context.Context) (string, error) {
	text, err := aside.Wait(ctx, func() ([]byte, error) { return io.ReadAll(a.stdin) })
	return string(text), err
}

// interactive reports whether there is somebody to ask.
func (a *app) interactive() bool { return isTerminal(a.stdin) && isTerminal(a.stderr) }

// confirm asks a question. Everything but yes is no.
func (a *app) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	line, err := aside.Wait(ctx, func() (string, error) { return bufio.NewReader(a.stdin).ReadString('\n') })
	if err != nil && err != io.EOF {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}
