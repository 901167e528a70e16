package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/internal/dbdiff"
)

type diffCommand struct {
	*app
	sides                 sideFlags
	schema, summary, json bool
	limit                 int
	tables                []string
	from, to              *side
}

func (a *app) d1Diff() *cobra.Command {
	c := &diffCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "diff <a> <b> [flags]",
		Short: "Show in what two databases differ",
		Long: `Show in what the second of two databases differs from the first: tables, indexes, views and
triggers by what their SQL means, and rows by their primary key. Rows that are equal are
not transferred: both databases compute checksums. On a terminal it is text, elsewhere
and with --json an object.

The exit code is 0 if they are equal, 1 if they differ, and 2 if something failed.

` + sidesHelp,
		Example: `  skylite d1 diff app remote:app
  skylite d1 diff ./old.sqlite app --summary`,
	}, []string{"a", "b"}, c.run)
	flags := cmd.Flags()
	c.sides.register(cmd)
	flags.BoolVar(&c.schema, "schema", false, "compare no rows")
	flags.BoolVar(&c.summary, "summary", false, "count rows, and show none")
	flags.IntVar(&c.limit, "limit", 20, "how many `rows` of each table are shown; all are counted")
	flags.StringArrayVar(&c.tables, "table", nil, "a `table` whose rows are compared; may be repeated (default: all)")
	flags.BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

func (c *diffCommand) run(ctx context.Context, args []string) error {
	if c.limit < 0 {
		return usage(nil, "--limit must be at least 0")
	}
	if c.summary {
		c.limit = 0
	}
	report, err := c.compare(ctx, args)
	if err != nil {
		return &codedError{err, exitUsage}
	}
	if c.json || !c.out.terminal {
		err = c.out.json(report)
	} else {
		report.print(c.out)
	}
	if err == nil && !report.Equal {
		err = &codedError{nil, exitFailure}
	}
	return err
}

// diffReport is what there is to say, in the form of the JSON.
type diffReport struct {
	Equal  bool         `json:"equal"`
	Schema []diffObject `json:"schema"`
	Tables []diffTable  `json:"tables"`
}

type diffObject struct {
	Type   string  `json:"type"`
	Name   string  `json:"name"`
	Before *string `json:"before"`
	After  *string `json:"after"`
}

type diffTable struct {
	Name    string    `json:"name"`
	Key     []string  `json:"key"`
	Added   int64     `json:"added"`
	Removed int64     `json:"removed"`
	Changed int64     `json:"changed"`
	Rows    []diffRow `json:"rows"`
}

// diffRow has the values of a row's columns; one of both is missing where a row is new or
// gone.
type diffRow struct {
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`

	columns []string
	row     dbdiff.Row
}

func (c *diffCommand) compare(ctx context.Context, args []string) (report *diffReport, err error) {
	if c.from, err = c.openSide(ctx, &c.sides, args[0], false, false); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.from.Close()) }()
	if c.to, err = c.openSide(ctx, &c.sides, args[1], false, false); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.to.Close()) }()
	a, err := dbdiff.Load(ctx, c.from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.from.name, err)
	}
	b, err := dbdiff.Load(ctx, c.to)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.to.name, err)
	}
	report = &diffReport{Schema: []diffObject{}, Tables: []diffTable{}}
	for _, ch := range dbdiff.Compare(a, b) {
		report.Schema = append(report.Schema, diffObject{ch.Type, ch.Name, orNull(ch.Before), orNull(ch.After)})
	}
	if !c.schema {
		err = c.rows(ctx, a, b, report)
	}
	report.Equal = len(report.Schema)+len(report.Tables) == 0
	return report, err
}

func (c *diffCommand) rows(ctx context.Context, a, b *dbdiff.Database, report *diffReport) error {
	for _, name := range c.tables {
		if a.Table(name) == nil && b.Table(name) == nil {
			return fmt.Errorf("there is no table %q on either side", name)
		}
	}
	p := c.progress("Comparing")
	defer p.end()
	for _, t := range a.Tables {
		other := b.Table(t.Name)
		if other == nil || len(c.tables) > 0 && !containsFold(c.tables, t.Name) {
			continue
		}
		table := diffTable{Name: t.Name, Rows: []diffRow{}}
		tally, err := dbdiff.Rows(ctx, t, other, dbdiff.Options{Limit: c.limit, Progress: p.rows, Each: func(r dbdiff.Row) error {
			table.Rows = append(table.Rows, diffRow{row: r})
			return nil
		}})
		if err != nil {
			return err
		}
		table.Key, table.Added, table.Removed, table.Changed = append([]string{}, tally.Key...), tally.Added, tally.Removed, tally.Changed
		for i := range table.Rows {
			r := &table.Rows[i]
			r.columns = tally.Columns
			r.Before, r.After = rowJSON(r.columns, r.row.Before), rowJSON(r.columns, r.row.After)
		}
		if !tally.Equal() {
			report.Tables = append(report.Tables, table)
		}
	}
	return nil
}

func containsFold(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
