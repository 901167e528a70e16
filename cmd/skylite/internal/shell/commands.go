package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
)

// command is a dot command.
type command struct {
	name, args, help string
	run              func(s *shell, ctx context.Context, args []string) error
	most             int // arguments, at most; -1 means any number
}

// commands returns them all.
func commands() []command {
	return []command{
		{".tables", "[TEXT]", "list the tables and views, those with a text in their names", (*shell).tables, 1},
		{".schema", "[TABLE]", "print what makes the tables, or one with its indexes and triggers", (*shell).schema, 1},
		{".indexes", "[TABLE]", "list the indexes", (*shell).indexes, 1},
		{".dump", "[TABLE…]", "print the database, or tables of it, as SQL", (*shell).dump, -1},
		{".read", "FILE", "run the SQL and the dot commands in a file", (*shell).readFile, 1},
		{".output", "[FILE]", "write what statements return to a file, or here again", (*shell).output, 1},
		{".mode", "[MODE]", "write rows as " + modeNames(), (*shell).mode, 1},
		{".headers", "on|off", "write the columns' names", (*shell).headers, 1},
		{".timer", "on|off", "tell what each statement has cost", (*shell).timing, 1},
		{".explain", "SQL", "show how SQLite would run a statement", nil, -1},
		{".begin", "", "begin a transaction of several statements", (*shell).begin, 0},
		{".commit", "", "make happen what the transaction wrote", (*shell).commit, 0},
		{".rollback", "", "forget the transaction", (*shell).rollback, 0},
		{".bookmark", "", "print the bookmark of the newest state seen", (*shell).bookmark, 0},
		{".session", "[START]", "begin a session, at first-primary, first-unconstrained or a bookmark", (*shell).startSession, 1},
		{".limits", "", "list D1's limits", (*shell).limits, 0},
		{".help", "", "list the commands", (*shell).help, 0},
		{".quit", "", "leave, as Ctrl-D does", func(*shell, context.Context, []string) error { return errQuit }, 0},
	}
}

// aliases are sqlite3's other names.
var aliases = map[string]string{".exit": ".quit", ".indices": ".indexes", ".header": ".headers"}

// elsewhere says what does the work of commands that sqlite3 has and this shell has not.
var elsewhere = map[string]string{
	".open":   "leave, and name the other database on the command line",
	".import": "'skylite d1 execute --file' runs a file of SQL as one transaction",
	".backup": "'.output FILE' and '.dump' write the database as SQL",
	".save":   "'.output FILE' and '.dump' write the database as SQL",
	".show":   ".mode tells the mode; .help lists what can be set",
	".shell":  "leave, or use another terminal",
}

// command runs a line that begins with a dot.
func (s *shell) command(ctx context.Context, line string) error {
	name, rest, _ := strings.Cut(line, " ")
	name = strings.ToLower(strings.TrimRight(name, ";"))
	if alias, ok := aliases[name]; ok {
		name = alias
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		return unknown(name)
	}
	if name == ".explain" {
		return s.explain(ctx, rest)
	}
	args, err := words(strings.TrimRight(rest, "; \t"))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if c := all[i]; c.most >= 0 && len(args) > c.most {
		return &Error{Err: fmt.Errorf("%s: there is an argument too many: %q", name, args[c.most]),
			Hint: strings.TrimSpace("it is " + c.name + " " + c.args)}
	}
	ctx, stop := s.Interrupted(ctx)
	defer stop()
	return ended(ctx, all[i].run(s, ctx, args))
}

func unknown(name string) error {
	e := &Error{Err: fmt.Errorf("unknown command %q", name), Hint: ".help lists the commands"}
	if hint, ok := elsewhere[name]; ok {
		e.Hint = hint
		return e
	}
	for _, c := range commands() {
		if len(name) > 2 && (strings.HasPrefix(c.name, name) || strings.HasPrefix(name, c.name) || name[:3] == c.name[:3]) {
			e.Hint = "did you mean " + c.name + "?"
			break
		}
	}
	return e
}

func (s *shell) help(context.Context, []string) error {
	for _, c := range commands() {
		fmt.Fprintf(s.printer.W, "%-20s %s\n", c.name+" "+c.args, c.help)
	}
	_, err := fmt.Fprintln(s.printer.W, "Everything else is SQL, up to a semicolon.")
	return err
}

func modeNames() string {
	names := make([]string, len(render.Modes))
	for i, mode := range render.Modes {
		names[i] = string(mode)
	}
	return strings.Join(names, "|")
}

func (s *shell) mode(_ context.Context, args []string) error {
	if len(args) == 0 {
		_, err := fmt.Fprintln(s.printer.W, s.printer.Mode)
		return err
	}
	mode := render.Mode(strings.ToLower(args[0]))
	if !slices.Contains(render.Modes, mode) {
		return fmt.Errorf(".mode: there is no mode %q; there are %s", args[0], modeNames())
	}
	s.printer.Mode = mode
	return nil
}

func (s *shell) headers(_ context.Context, args []string) error {
	on, err := onOff(".headers", args)
	if err == nil {
		s.printer.NoHeaders = !on
	}
	return err
}

func (s *shell) timing(_ context.Context, args []string) error {
	on, err := onOff(".timer", args)
	if err == nil {
		s.timer = on
	}
	return err
}

func onOff(name string, args []string) (bool, error) {
	if len(args) == 1 {
		switch strings.ToLower(args[0]) {
		case "on", "yes", "1":
			return true, nil
		case "off", "no", "0":
			return false, nil
		}
	}
	return false, fmt.Errorf("%s: it is %s on or %s off", name, name, name)
}

// maxDepth is how deep files may read files.
const maxDepth = 16

func (s *shell) readFile(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		return errors.New(".read: it is .read FILE")
	case s.depth == maxDepth:
		return fmt.Errorf(".read %s: the files read one another, %d deep", args[0], maxDepth)
	}
	f, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf(".read: %w", err)
	}
	defer f.Close()
	s.depth++
	defer func() { s.depth-- }()
	return s.read(ctx, Lines(f), args[0])
}

func (s *shell) output(_ context.Context, args []string) error {
	if err := s.closeFile(); err != nil {
		return fmt.Errorf(".output: %w", err)
	}
	if len(args) == 0 {
		return nil
	}
	f, err := os.Create(args[0])
	if err != nil {
		return fmt.Errorf(".output: %w", err)
	}
	s.file, s.printer.W, s.printer.Width, s.printer.Color, s.printer.Terminal = f, f, 0, false, false
	return nil
}

func (s *shell) dump(ctx context.Context, args []string) error {
	exporter, ok := s.DB.Backend().(d1.Exporter)
	if !ok {
		return errors.New(".dump: a database cannot be exported where this one is")
	}
	_, err := exporter.Export(ctx, s.printer.W, d1.ExportOptions{Tables: args})
	return err
}

func (s *shell) limits(context.Context, []string) error {
	for _, limit := range []struct {
		name  string
		value any
	}{
		{"bytes of a statement", d1.MaxStatementBytes},
		{"parameters of a statement", d1.MaxParams},
		{"columns of a table or a result", d1.MaxColumns},
		{"bytes of a value or a row", d1.MaxValueBytes},
		{"terms of a compound SELECT", d1.MaxCompoundTerms},
		{"bytes of a LIKE or GLOB pattern", d1.MaxLikePatternBytes},
		{"depth of an expression", d1.MaxExpressionDepth},
		{"depth of triggers", d1.MaxTriggerDepth},
		{"bytes of a database", int64(d1.MaxDatabaseBytes)},
		{"time of a call", d1.MaxQueryDuration},
	} {
		fmt.Fprintf(s.printer.W, "%-32s %v\n", limit.name, limit.value)
	}
	return nil
}
