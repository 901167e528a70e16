package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
)

type exportCommand struct {
	*app
	place            placeFlags
	output           string
	tables           []string
	noSchema, noData bool
}

func (a *app) d1Export() *cobra.Command {
	c := &exportCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "export <name> --output <file> [flags]",
		Short: "Write a database as SQL",
		Long: `Write a database as a script of SQL that makes it again, as it is in one state, to a file or,
if that is "-", to standard output. A file gets its name when it is whole, in the place of
one that was there. Cloudflare blocks other requests to the database meanwhile.`,
		Example: `  skylite d1 export app --output app.sql
  skylite d1 export app --remote --output - --no-data | less`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"name"}, c.run)
	c.place.registerWrangler(cmd, nil)
	flags := cmd.Flags()
	flags.StringVar(&c.output, "output", "", "the `file` to write; - is standard output")
	flags.StringArrayVar(&c.tables, "table", nil, "a `table` to write, with its indexes and triggers; may be repeated (default: all)")
	flags.BoolVar(&c.noSchema, "no-schema", false, "write the rows only")
	flags.BoolVar(&c.noData, "no-data", false, "write no rows")
	flags.BoolP("yes", "y", false, "accepted for wrangler's sake: nothing is asked")
	_ = cmd.MarkFlagFilename("output", "sql") // fails only for a flag that is not there
	return cmd
}

func (c *exportCommand) run(ctx context.Context, args []string) (err error) {
	switch {
	case c.output == "":
		return usage(nil, "the file is missing: give --output, with - for standard output")
	case c.noSchema && c.noData:
		return usage(nil, "--no-schema and --no-data cannot be used together")
	}
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.database(ctx, args[0])
	if err != nil {
		return err
	}
	defer db.Close() // it was only read
	opts := d1.ExportOptions{NoSchema: c.noSchema, NoData: c.noData, Tables: c.tables}
	if c.output == "-" {
		_, err := c.export(ctx, db, c.out, opts)
		return err
	}
	if err := writeFile(c.output, func(w io.Writer) error {
		_, err := c.export(ctx, db, w, opts)
		return err
	}); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "Wrote %q to %s.\n", args[0], c.output)
	return nil
}

// export writes a database, and tells how that comes along.
func (a *app) export(ctx context.Context, db *d1.DB, w io.Writer, opts d1.ExportOptions) (d1.Bookmark, error) {
	exporter, ok := db.Backend().(d1.Exporter)
	if !ok {
		return "", errors.New("this place cannot export a database")
	}
	p := a.progress("Exporting")
	defer p.end()
	opts.Progress = p.say
	return exporter.Export(ctx, p.writer(w), opts)
}
