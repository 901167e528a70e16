package shell

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
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
	return aside.Wait(ctx, func() (string, error) {
		line, err := l.r.ReadString('\n')
		if err == io.EOF && line != "" {
			err = nil
		}
		return strings.TrimSuffix(line, "\n"), err
	})
}
