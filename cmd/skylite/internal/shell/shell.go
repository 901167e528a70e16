// Package shell is an SQL shell on a D1 database: it reads statements and dot commands,
// runs them one by one and writes what they return.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Config says what a shell works on.
type Config struct {
	DB *d1.DB
	// Name is the database's, for the prompt.
	Name string
	// Input is where lines come from: a [Terminal], or [Lines].
	Input Input
	// Out gets the data and Err the words.
	Out, Err io.Writer
	// Interactive says that somebody sits there: an error does not end the shell, and
	// what statements cost is told.
	Interactive bool
	// Mode, Width and Color are those of Out.
	Mode     render.Mode
	Width    int
	Color    bool
	Terminal bool
	// Interrupted returns the context of a statement, which ends when it is to be
	// interrupted. nil means that only Run's own context ends it.
	Interrupted func(context.Context) (context.Context, context.CancelFunc)
}

// ErrInterrupted is what an Input returns when a line was abandoned.
var ErrInterrupted = errors.New("interrupted")

// errQuit ends the shell.
var errQuit = errors.New("quit")

// shell is a shell that runs.
type shell struct {
	Config
	printer render.Printer
	file    *os.File // of .output, or nil
	timer   bool
	session *d1.Session
	tx      *d1.Tx // that is open, or nil
	names   *names // of tables and columns, or nil if they are not known
	depth   int    // of .read
}

// Run runs a shell to the end of its input. What is not Interactive ends at the first
// error, which is an [*Error].
func Run(ctx context.Context, cfg Config) error {
	if cfg.Interrupted == nil {
		cfg.Interrupted = func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }
	}
	s := &shell{Config: cfg, timer: cfg.Interactive, session: cfg.DB.WithSession(d1.FirstPrimary)}
	s.printer = render.Printer{
		W: cfg.Out, Mode: cfg.Mode, Width: cfg.Width, Color: cfg.Color, Terminal: cfg.Terminal,
	}
	if t, ok := cfg.Input.(*Terminal); ok {
		t.complete = func(line string, pos int) completion { return s.complete(ctx, line, pos) }
	}
	err := s.read(ctx, cfg.Input, "")
	if err == errQuit {
		err = nil
	}
	if s.tx != nil {
		fmt.Fprintln(s.Err, "The transaction was rolled back: nothing that it wrote has happened.")
	}
	return errors.Join(err, s.closeFile())
}

// read runs what an input holds. name is the file's, or "".
func (s *shell) read(ctx context.Context, in Input, name string) error {
	b := buffer{name: name}
	for {
		line, err := in.Line(ctx, s.prompt(&b))
		switch {
		case err == ErrInterrupted:
			b.drop()
			continue
		case err == io.EOF:
			return s.end(ctx, &b)
		case errors.Is(err, errTooLong):
			s.report(err)
			b.drop()
			continue
		case err != nil:
			return err
		}
		if err := s.line(ctx, &b, line); err != nil {
			if err == errQuit || !s.Interactive || s.depth > 0 {
				return err
			}
			s.report(err)
			b.drop()
		}
	}
}

func (s *shell) prompt(b *buffer) string {
	mark := "> "
	if s.tx != nil {
		mark = "*> "
	}
	if b.text == "" {
		return s.Name + mark
	}
	return strings.Repeat(" ", max(len(s.Name)-3, 0)) + "..." + mark
}

// line takes a line, and runs what it completes.
func (s *shell) line(ctx context.Context, b *buffer, line string) error {
	first, err := b.add(line)
	if err != nil {
		return err
	}
	if first && strings.HasPrefix(strings.TrimLeft(line, " \t"), ".") {
		defer b.drop()
		return b.locate(s.command(ctx, strings.TrimSpace(line)), sqltext.Statement{})
	}
	for _, st := range b.complete() {
		if err := s.statement(ctx, b, st); err != nil {
			return err
		}
	}
	return b.cut()
}

// end runs what is left at the end of an input without a semicolon.
func (s *shell) end(ctx context.Context, b *buffer) error {
	if s.Interactive && s.depth == 0 {
		return nil
	}
	for _, st := range sqltext.Statements(b.text) {
		if err := s.statement(ctx, b, st); err != nil {
			return err
		}
	}
	return nil
}

// statement runs a statement of the input.
func (s *shell) statement(ctx context.Context, b *buffer, st sqltext.Statement) error {
	if st.Kind == sqltext.Schema {
		s.names = nil
	}
	err := s.run(ctx, st.Text)
	if err != nil && st.Kind == sqltext.Transaction && !st.Explain {
		err = &Error{Err: err, Hint: transactionHint}
	}
	return b.locate(err, st)
}

const transactionHint = "each statement is a transaction of its own; .begin and .commit make one of several, " +
	"and 'skylite d1 execute --file' runs a whole file as one"

// run runs one statement under a context that can be interrupted, writes its rows, and
// tells what it has cost.
func (s *shell) run(ctx context.Context, sql string) error {
	ctx, stop := s.Interrupted(ctx)
	defer stop()
	began := time.Now()
	results, err := s.on().Do(ctx, d1.Request{Statements: []d1.Statement{{SQL: sql}}})
	if err != nil {
		return ended(ctx, err)
	}
	sum, err := s.printer.Print(results)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return ended(ctx, err)
	}
	s.warn(sum)
	if s.timer {
		fmt.Fprintln(s.Err, describe(sum, time.Since(began), s.tx != nil))
	}
	return nil
}

// describe says what a statement has returned and cost. A transaction knows no cost.
func describe(sum render.Summary, took time.Duration, inTx bool) string {
	text := fmt.Sprintf("%s, %s in %.3g ms", count(sum.Rows, "row"), count(sum.Changes, "change"), milliseconds(took))
	if inTx {
		return text
	}
	return fmt.Sprintf("%s (SQL %.3g ms): %s read, %s written", text, milliseconds(sum.Duration),
		count(sum.RowsRead, "row"), count(sum.RowsWritten, "row"))
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ended says that an error is an interruption, if it is one.
func ended(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() == nil:
		return err
	case d1.Ambiguous(err):
		return &Error{Err: fmt.Errorf("interrupted; what was under way may have taken effect or not: %w", ctx.Err())}
	}
	return &Error{Err: fmt.Errorf("interrupted: %w", ctx.Err())}
}

// on is what statements run on.
func (s *shell) on() d1.Querier {
	if s.tx != nil {
		return s.tx
	}
	return s.session
}

func (s *shell) warn(sum render.Summary) {
	for _, column := range sum.Rounded {
		fmt.Fprintf(s.Err, "warning: column %q has numbers beyond 2^53; they have been rounded on their way, "+
			"and CAST(… AS TEXT) shows them exactly\n", column)
	}
}

func (s *shell) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file, s.printer.W, s.printer.Width, s.printer.Color = nil, s.Out, s.Width, s.Color
	s.printer.Terminal = s.Terminal
	return err
}
