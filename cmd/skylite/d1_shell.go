package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/cmd/skylite/internal/shell"
	"github.com/skylite-go/skylite/d1"

	_ "github.com/skylite-go/skylite/d1/bridge"   // d1+bridge:
	_ "github.com/skylite-go/skylite/d1/embedded" // file:
)

type shellCommand struct {
	*app
	place placeFlags
	mode  string
}

func (a *app) d1Shell() *cobra.Command {
	c := &shellCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "shell [database] [flags]",
		Short: "Type SQL at a database",
		Long: `Type SQL at a database: one in the data folder or, with --remote, on Cloudflare; an SQLite
file, which is named by a path with a / or an ending such as .sqlite; or one that a data
source name names (file:PATH, d1://ACCOUNT_ID/DATABASE, d1+bridge://HOST/BINDING). Without
an argument it is a new database in memory.

Statements end with a semicolon and run one by one, each as a transaction; .help lists the
dot commands. Tab completes, Ctrl-C abandons a line or interrupts a statement, Ctrl-D
leaves. What was typed is kept in ~/.local/state/skylite/history, or in the file that
SKYLITE_HISTORY names, but for lines that begin with a space.

What is piped in runs up to the first error. Rows are then JSON, an array for each
statement, if standard output is no terminal; --mode chooses otherwise.`,
		Example: `  skylite d1 shell app
  skylite d1 shell app --remote
  skylite d1 shell ./data.sqlite
  echo "SELECT * FROM users;" | skylite d1 shell app --mode csv`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, nil, c.run)
	cmd.Args = cobra.MaximumNArgs(1)
	c.place.registerWrangler(cmd, nil)
	cmd.Flags().StringVar(&c.mode, "mode", "", "how rows are written: table, json, csv, line or list")
	_ = cmd.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions( // fails only for a flag that is not there
		[]string{"table", "json", "csv", "line", "list"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *shellCommand) run(ctx context.Context, args []string) (err error) {
	cfg := shell.Config{
		Out: c.out.w, Err: c.stderr, Mode: render.Mode(c.mode), Terminal: c.out.terminal,
		Width: c.out.width, Color: c.out.color,
	}
	switch {
	case c.mode == "" && c.out.terminal:
		cfg.Mode = render.ModeTable
	case c.mode == "":
		cfg.Mode = render.ModeJSON
	case !slices.Contains(render.Modes, cfg.Mode):
		return usage(nil, "--mode is %q; it must be one of table, json, csv, line and list", c.mode)
	}
	opened, err := c.database(ctx, args)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := opened.close(); err == nil {
			err = closeErr
		}
	}()
	cfg.DB, cfg.Name = opened.db, opened.name
	if stdin, ok := c.stdin.(*os.File); ok && c.out.terminal && isTerminal(stdin) {
		return c.interactive(ctx, cfg, stdin, opened.where)
	}
	cfg.Input = shell.Lines(c.stdin)
	err = shell.Run(ctx, cfg)
	if e, ok := errors.AsType[*shell.Error](err); ok {
		return withHint(err, cmp.Or(e.Hint, hintOf(e.Err)))
	}
	return err
}

// interactive runs a shell for the one who sits there. Ctrl-C does not end it.
func (c *shellCommand) interactive(ctx context.Context, cfg shell.Config, stdin *os.File, where string) error {
	history, err := shell.OpenHistory(c.historyFile())
	if err != nil {
		fmt.Fprintf(c.stderr, "skylite: warning: %v\n", err)
	}
	defer history.Close()
	cfg.Interactive = true
	cfg.Input = shell.NewTerminal(stdin, c.out.w.(*os.File), history)
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	cfg.Interrupted = func(ctx context.Context) (context.Context, context.CancelFunc) {
		return untilSignal(ctx, interrupts)
	}
	// The first Ctrl-C ends the context of the command; this one only SIGTERM ends.
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(c.stderr, "D1 shell on %s. .help lists the commands, Ctrl-D leaves.\n", where)
	return shell.Run(ctx, cfg)
}

// untilSignal returns a context that the next signal ends.
func untilSignal(ctx context.Context, signals chan os.Signal) (context.Context, context.CancelFunc) {
	select {
	case <-signals: // one that came when nothing ran
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// historyFile returns the file of what was typed.
func (c *shellCommand) historyFile() string {
	if file := c.getenv("SKYLITE_HISTORY"); file != "" {
		return file
	}
	if state := c.getenv("XDG_STATE_HOME"); state != "" {
		return filepath.Join(state, "skylite", "history")
	}
	if home := c.getenv("HOME"); home != "" && runtime.GOOS != "windows" {
		return filepath.Join(home, ".local", "state", "skylite", "history")
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return os.DevNull
	}
	return filepath.Join(dir, "skylite", "history")
}

// openedDatabase is a database that a shell is on.
type openedDatabase struct {
	db          *d1.DB
	name, where string // for the prompt, and for people
	close       func() error
}

var (
	dsnForm  = regexp.MustCompile(`^(file|d1|d1\+bridge):`)
	fileForm = regexp.MustCompile(`[/\\]|\.(sqlite3?|db3?)$`)
)

// database opens what the arguments name.
func (c *shellCommand) database(ctx context.Context, args []string) (*openedDatabase, error) {
	elsewhere := c.place.remote || c.place.local || c.place.wrangler || c.place.data != ""
	switch {
	case len(args) == 0 && elsewhere:
		return nil, usage(nil, "the database's name is missing")
	case len(args) == 0:
		return openDSN("file::memory:", "memory", "a new database in memory")
	case dsnForm.MatchString(args[0]) && !elsewhere:
		scheme, _, _ := strings.Cut(args[0], ":")
		return openDSN(args[0], scheme, "a "+scheme+": database") // the name may hold secrets
	case fileForm.MatchString(args[0]) && !elsewhere:
		return openFile(args[0])
	}
	p, err := c.open(&c.place, false)
	if err != nil {
		return nil, err
	}
	db, err := p.database(ctx, args[0])
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &openedDatabase{db, args[0], args[0] + " in " + p.where, func() error { return errors.Join(db.Close(), p.Close()) }}, nil
}

// openFile opens a file that is there: a name with a mistake in it makes no database.
func openFile(path string) (*openedDatabase, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, withHint(err, "a new file is made if the name begins with file:")
	}
	escaped := strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(path)
	base := filepath.Base(path)
	return openDSN("file:"+escaped, strings.TrimSuffix(base, filepath.Ext(base)), path)
}

func openDSN(dsn, name, where string) (*openedDatabase, error) {
	db, err := d1.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &openedDatabase{db, name, where, db.Close}, nil
}
