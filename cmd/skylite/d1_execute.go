package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
)

// maxRemoteBytes is what Cloudflare's edge accepts in one request, on its free and pro
// plans; developers.cloudflare.com/workers/platform/limits, "Request limits".
const maxRemoteBytes = 100_000_000

type executeCommand struct {
	*app
	place         placeFlags
	command, file string
	json, yes     bool
	given         func(flag string) bool
}

func (a *app) d1Execute() *cobra.Command {
	c := &executeCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "execute <database> [flags]",
		Short: "Run SQL in a database",
		Long: `Run SQL in a database: that of --command, of --file, or else of standard input. All
statements are one transaction: if one fails, none has any effect. A BEGIN and a
COMMIT around a whole file are therefore left out.

On a terminal the rows are tables, with <NULL> for NULL and x'…' for a blob. Elsewhere,
and with --json, the output is an array with one object for each statement:

  [{"results": [{"id": 1}], "success": true, "meta": {"duration": 0.1, …}}]

With --json an error is {"error": {"text": …}} on standard output too. One request to
Cloudflare carries at most 100 MB; a single statement has 100 kB at most everywhere.`,
		Example: `  skylite d1 execute app --command "SELECT * FROM users"
  skylite d1 execute app --file schema.sql
  sqlite3 old.db .dump | skylite d1 execute app
  skylite d1 execute app --remote --command "SELECT 1" --json`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.run)
	c.place.registerWrangler(cmd, nil)
	flags := cmd.Flags()
	flags.StringVar(&c.command, "command", "", "the `SQL` to run")
	flags.StringVar(&c.file, "file", "", "the `file` with the SQL to run; - is standard input")
	flags.BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	flags.BoolVarP(&c.yes, "yes", "y", false, "accepted for wrangler's sake: nothing is asked")
	_ = cmd.MarkFlagFilename("file", "sql") // fails only for a flag that is not there
	c.given = flags.Changed
	return cmd
}

func (c *executeCommand) run(ctx context.Context, args []string) (err error) {
	text, err := c.sql(ctx)
	if err != nil {
		return err
	}
	script, err := parseScript(text)
	if err != nil {
		return err
	}
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	if p.remote && len(text) > maxRemoteBytes {
		return withHint(fmt.Errorf("the SQL has %d bytes; one request to Cloudflare carries at most %d", len(text), maxRemoteBytes),
			"split it into several files; each is then a transaction of its own")
	}
	db, err := p.database(ctx, args[0])
	if err != nil {
		return err
	}
	defer db.Close()
	results, err := db.Do(ctx, script.request())
	if err != nil {
		return script.locate(err)
	}
	defer results.Close()
	return script.locate(c.print(results))
}

// sql returns the text to run.
func (c *executeCommand) sql(ctx context.Context) (string, error) {
	isFile := c.given("file")
	switch {
	case c.given("command") && isFile:
		return "", usage(nil, "--command and --file cannot be used together")
	case c.given("command"):
		return c.command, nil
	case !isFile && isTerminal(c.stdin):
		return "", usage(nil, "there is no SQL: give --command or --file, or pipe it in")
	case isFile && c.file == "":
		return "", usage(nil, "--file is empty; it must name a file, or be - for standard input")
	case !isFile || c.file == "-":
		text, err := c.readStdin(ctx)
		if err == nil && text == "" {
			err = usage(nil, "there is no SQL: give --command or --file, or pipe it in")
		}
		return text, err
	}
	text, err := os.ReadFile(c.file)
	return string(text), err
}

// print writes the results.
func (c *executeCommand) print(results *d1.Results) error {
	var sum render.Summary
	var err error
	tables := c.out.terminal && !c.json
	if tables {
		sum, err = render.Tables(c.out.table(), results)
	} else {
		sum, err = render.JSON(c.out, results)
	}
	if err = errors.Join(err, results.Close()); err != nil {
		return err
	}
	if err := c.out.Flush(); err != nil {
		return err
	}
	for _, column := range sum.Rounded {
		fmt.Fprintf(c.stderr, "skylite: warning: column %q has numbers beyond 2^53; D1 rounds integers of that size, "+
			"and CAST(… AS TEXT) shows them exactly\n", column)
	}
	if tables {
		fmt.Fprintln(c.stderr, describeRun(sum))
	}
	return nil
}

func describeRun(sum render.Summary) string {
	return fmt.Sprintf("%s in %.3g ms: %s read, %s written.", count(int64(sum.Statements), "statement"),
		sum.Duration.Seconds()*1000, count(sum.RowsRead, "row"), count(sum.RowsWritten, "row"))
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
