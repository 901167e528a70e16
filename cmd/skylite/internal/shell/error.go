package shell

import (
	"errors"
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
)

// Error is an error of a statement or of a dot command.
type Error struct {
	Err error
	// File and Line are where it stands; File is empty for the shell's own input.
	File string
	Line int
	// Excerpt is the line at fault with a caret under the place, or "".
	Excerpt string
	// Hint says what can be done, or is "".
	Hint string
}

// Error names the place, and shows it.
func (e *Error) Error() string {
	text := fmt.Sprintf("line %d: %s", e.Line, e.message())
	if e.File != "" {
		text = e.File + ": " + text
	}
	if e.Excerpt != "" {
		text += "\n" + strings.TrimSuffix(e.Excerpt, "\n")
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) message() string { return strings.TrimPrefix(e.Err.Error(), "d1: ") }

// report tells somebody who sits there of an error.
func (s *shell) report(err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Err: err}
	}
	text := e.message()
	if e.File != "" {
		text = fmt.Sprintf("%s: line %d: %s", e.File, e.Line, text)
	}
	fmt.Fprintf(s.Err, "error: %s\n%s", text, e.Excerpt)
	if e.Hint != "" {
		fmt.Fprintf(s.Err, "hint: %s\n", e.Hint)
	}
}

// excerptWidth is how much of a long line is shown around the place at fault.
const excerptWidth = 72

// excerpt returns the line of a text that an offset is in, and a caret under it.
func excerpt(text string, offset int) string {
	offset = min(offset, len(text))
	begin := strings.LastIndexByte(text[:offset], '\n') + 1
	line, _, _ := strings.Cut(text[begin:], "\n")
	before, after := []rune(line[:min(offset-begin, len(line))]), []rune(line[min(offset-begin, len(line)):])
	if len(before) > excerptWidth/2 {
		before = append([]rune{'…'}, before[len(before)-excerptWidth/2:]...)
	}
	if len(after) > excerptWidth/2 {
		after = append(after[:excerptWidth/2:excerptWidth/2], '…')
	}
	shown := render.Printable(strings.ReplaceAll(string(before), "\t", " "))
	rest := render.Printable(strings.ReplaceAll(string(after), "\t", " "))
	return "  " + shown + rest + "\n  " + strings.Repeat(" ", render.Width(shown)) + "^\n"
}
