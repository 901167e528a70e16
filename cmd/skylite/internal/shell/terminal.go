package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
)

// Terminal is an Input that a person types, with editing, history and completion.
type Terminal struct {
	in, out  *os.File
	history  *History
	editor   *term.Terminal
	abandon  bool // Ctrl-C was read
	complete func(line string, pos int) completion
}

// NewTerminal returns the Input of a terminal.
func NewTerminal(in, out *os.File, history *History) *Terminal {
	return &Terminal{in: in, out: out, history: history}
}

// longest is how many characters of a line the editor takes. It drops what is beyond.
const longest = 4096

var errTooLong = fmt.Errorf("the line was cut: a terminal takes %d characters in one line; "+
	"nothing was run, .read runs a file", longest)

const ctrlC = 3

// Read is for the editor: it reads what is typed.
func (t *Terminal) Read(p []byte) (int, error) {
	n, err := t.in.Read(p)
	t.abandon = t.abandon || bytes.IndexByte(p[:n], ctrlC) >= 0
	return n, err
}

// Write is for the editor: it draws.
func (t *Terminal) Write(p []byte) (int, error) { return t.out.Write(p) }

// Line implements Input. The terminal is in raw mode only as long as a line is typed, so
// that while a statement runs Ctrl-C is a signal.
func (t *Terminal) Line(ctx context.Context, prompt string) (string, error) {
	state, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return "", fmt.Errorf("set up the terminal: %w", err)
	}
	defer func() { _ = term.Restore(int(t.in.Fd()), state) }()
	if t.editor == nil {
		t.editor = term.NewTerminal(t, prompt)
		t.editor.History = t.history
		t.editor.AutoCompleteCallback = t.tab
	}
	if width, height, err := term.GetSize(int(t.out.Fd())); err == nil && width > 0 {
		_ = t.editor.SetSize(width, height) // it only draws
	}
	t.editor.SetPrompt(prompt)
	t.editor.SetBracketedPasteMode(true)
	defer t.editor.SetBracketedPasteMode(false)
	line, err := aside.Wait(ctx, t.editor.ReadLine)
	switch {
	case err == io.EOF && t.abandon:
		t.abandon, t.editor = false, nil // which holds the line
		_, _ = io.WriteString(t.out, "^C\r\n")
		return "", ErrInterrupted
	case err == io.EOF:
		_, _ = io.WriteString(t.out, "\r\n")
		return "", err
	case err != nil && !errors.Is(err, term.ErrPasteIndicator):
		return "", err
	case utf8.RuneCountInString(line) >= longest:
		return "", errTooLong
	}
	return line, nil
}

// completion is what may stand at the end of a line's beginning.
type completion struct {
	from  int // where the word begins that is completed
	words []string
}

// maxShown is how many words are shown at once.
const maxShown = 100

// tab completes the word before the cursor: as far as all words for it agree; if that is
// no further, it shows them.
func (t *Terminal) tab(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	if t.complete == nil {
		return line, pos, true
	}
	c := t.complete(line, pos)
	if len(c.words) == 0 {
		return line, pos, true
	}
	common := c.words[0]
	for _, word := range c.words[1:] {
		common = commonPrefix(common, word)
	}
	if len(common) > pos-c.from || len(c.words) == 1 {
		return line[:c.from] + common + line[pos:], c.from + len(common), true
	}
	shown := slices.Clone(c.words[:min(len(c.words), maxShown)])
	if more := len(c.words) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("… %d more", more))
	}
	_, _ = fmt.Fprintln(t.editor, strings.Join(shown, "  "))
	return line, pos, true
}

// commonPrefix returns the beginning of a that b has too, whatever the letters' case.
func commonPrefix(a, b string) string {
	end := 0
	for i, r := range a {
		size := utf8.RuneLen(r)
		if i+size > min(len(a), len(b)) || !strings.EqualFold(a[i:i+size], b[i:i+size]) {
			break
		}
		end = i + size
	}
	return a[:end]
}
