package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
)

type importCommand struct {
	*app
	place placeFlags
	json  bool
}

func (a *app) d1Import() *cobra.Command {
	c := &importCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "import <name> <file> [flags]",
		Short: "Run a script of SQL, of any size, as one transaction",
		Long: `Run a script of SQL in a database, from a file or, if that is "-", from standard input, as one
transaction: if it fails, the database is as it was. The script may have up to 5 GB, and
each statement 100 kB. Nothing is taken out before: see 'skylite d1 push' for that.`,
		Example: `  skylite d1 import app app.sql
  skylite d1 export app --output - | skylite d1 import copy - --remote
  skylite d1 import DB app.sql --wrangler`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return a.completeDatabase(&c.place)(cmd, args, toComplete)
		},
	}, []string{"name", "file"}, c.run)
	c.place.registerWrangler(cmd, nil)
	cmd.Flags().BoolVar(&c.json, "json", false, "print what was done as JSON on a terminal too")
	return cmd
}

func (c *importCommand) run(ctx context.Context, args []string) (err error) {
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.database(ctx, args[0])
	if err != nil {
		return err
	}
	defer db.Close()
	script, err := c.spool(ctx, args[1])
	if err != nil {
		return err
	}
	defer script.Close() // it was only read
	if err := notBinary(script); err != nil {
		return err
	}
	done, err := c.importScript(ctx, db, script)
	if err != nil {
		return err
	}
	if c.out.terminal && !c.json {
		fmt.Fprintf(c.stderr, "Ran %s in %q; %d rows written.\n", count(done.Statements, "statement"), args[0], done.Meta.RowsWritten)
		return nil
	}
	return c.out.json(struct {
		Statements  int64   `json:"num_queries"`
		Tables      int64   `json:"num_tables"`
		Bookmark    *string `json:"final_bookmark"`
		RowsRead    int64   `json:"rows_read"`
		RowsWritten int64   `json:"rows_written"`
		SizeAfter   int64   `json:"size_after"`
	}{done.Statements, done.Tables, orNull(string(done.Bookmark)), done.Meta.RowsRead, done.Meta.RowsWritten, done.Meta.SizeAfter})
}

// notBinary recognises a database where its dump should be.
func notBinary(script io.ReadSeeker) error {
	head := make([]byte, 16)
	n, _ := io.ReadFull(script, head)
	if string(head[:n]) == "SQLite format 3\x00" {
		return withHint(errors.New("this is an SQLite database, not SQL text"),
			"'skylite d1 push FILE NAME' moves it, and 'sqlite3 FILE .dump' writes it as SQL")
	}
	_, err := script.Seek(0, io.SeekStart)
	return err
}

// importScript runs a script, and tells how that comes along.
func (a *app) importScript(ctx context.Context, db *d1.DB, script io.ReadSeeker) (d1.Imported, error) {
	importer, ok := db.Backend().(d1.Importer)
	if !ok {
		return d1.Imported{}, errors.New("this place cannot import a script")
	}
	p := a.progress("Importing")
	defer p.end()
	done, err := importer.Import(ctx, progressReader{script, p}, d1.ImportOptions{Progress: p.say})
	if err != nil && strings.Contains(err.Error(), "state.storage.transaction()") {
		err = withHint(err, "D1 has no BEGIN and COMMIT: take them out of the script, which is one transaction anyway")
	}
	return done, err
}

// progressReader counts the bytes that are read.
type progressReader struct {
	io.ReadSeeker
	p *progress
}

func (r progressReader) Read(b []byte) (int, error) {
	n, err := r.ReadSeeker.Read(b)
	r.p.bytes(n)
	return n, err
}
