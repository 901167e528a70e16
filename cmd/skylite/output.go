package main

import (
	"encoding/json"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
)

// heldBytes is how much of the output is held back, so that a command that fails soon
// prints its error and nothing else.
const heldBytes = 64 << 10

// output is standard output.
type output struct {
	w        io.Writer
	terminal bool
	width    int // columns of the terminal, or 0
	color    bool

	held  []byte
	wrote bool // something has left
}

func newOutput(w io.Writer, getenv func(string) string) *output {
	o := &output{w: w}
	if !isTerminal(w) {
		return o
	}
	o.terminal = true
	o.color = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	if columns, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil {
		o.width = columns
	}
	return o
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Write holds the beginning of the output back.
func (o *output) Write(p []byte) (int, error) {
	o.held = append(o.held, p...)
	if len(o.held) < heldBytes {
		return len(p), nil
	}
	return len(p), o.Flush()
}

// Flush lets go of what is held back.
func (o *output) Flush() error {
	if len(o.held) == 0 {
		return nil
	}
	o.wrote = true
	_, err := o.w.Write(o.held)
	o.held = o.held[:0]
	return err
}

// Drop forgets what is held back.
func (o *output) Drop() { o.held = o.held[:0] }

// json writes a value as JSON.
func (o *output) json(v any) error {
	enc := json.NewEncoder(o)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table returns a table on the output.
func (o *output) table() *render.Table {
	return &render.Table{W: o, Width: o.width, Color: o.color}
}
