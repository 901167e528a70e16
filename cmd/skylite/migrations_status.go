package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/d1/migrate"
)

type migrationsStatusCommand struct {
	migration
	pending bool // only those that are
}

func (a *app) migrationsList() *cobra.Command {
	c := &migrationsStatusCommand{migration: migration{app: a}, pending: true}
	cmd := a.action(&cobra.Command{
		Use:               "list <database> [flags]",
		Short:             "List the migrations that are not applied yet",
		Long:              `List the migrations that are not applied yet. It writes nothing.`,
		Example:           `  skylite d1 migrations list app --remote`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.run)
	c.register(cmd)
	return cmd
}

func (a *app) migrationsStatus() *cobra.Command {
	c := &migrationsStatusCommand{migration: migration{app: a}}
	cmd := a.action(&cobra.Command{
		Use:   "status <database> [flags]",
		Short: "Tell what has become of every migration",
		Long: `Tell what has become of every migration: pending, applied, changed since it was applied,
unadopted (only the other tool's table records it) or missing (recorded, and without a
file). It writes nothing.`,
		Example:           `  skylite d1 migrations status app --json`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.run)
	c.register(cmd)
	return cmd
}

func (c *migrationsStatusCommand) run(ctx context.Context, args []string) error {
	return c.with(ctx, args[0], migrate.Options{}, func(r *migrate.Runner) error {
		all, err := r.Status(ctx)
		if err != nil {
			return err
		}
		shown := []migrate.Status{}
		for _, s := range all {
			if !c.pending || s.State == migrate.Pending {
				shown = append(shown, s)
			}
		}
		if c.pending && len(shown) == 0 {
			fmt.Fprintln(c.stderr, nothingToApply)
		}
		if c.json || !c.out.terminal {
			return c.out.json(shown)
		}
		if c.pending && len(shown) == 0 {
			return nil
		}
		return c.table(shown)
	})
}

func (c *migrationsStatusCommand) table(shown []migrate.Status) error {
	table := c.out.table()
	if c.pending {
		table.Header([]string{"Name"})
	} else {
		table.Header([]string{"Name", "State", "Applied at", "Recorded in"})
	}
	for _, s := range shown {
		row := []render.Cell{{Text: s.Name}}
		if !c.pending {
			state, at := string(s.State), ""
			if s.OutOfOrder {
				state += ", out of order"
			}
			if !s.AppliedAt.IsZero() {
				at = s.AppliedAt.Format("2006-01-02 15:04:05")
			}
			row = append(row, render.Cell{Text: state}, render.Cell{Text: at}, render.Cell{Text: strings.Join(s.Ledgers, ", ")})
		}
		if err := table.Row(row); err != nil {
			return err
		}
	}
	return table.End()
}

type migrationsValidateCommand struct{ migration }

func (a *app) migrationsValidate() *cobra.Command {
	c := &migrationsValidateCommand{migration{app: a}}
	cmd := a.action(&cobra.Command{
		Use:   "validate <database> [flags]",
		Short: "Look for what is wrong with the migrations",
		Long: `Look for what is wrong with the migrations: statements that D1 refuses, migrations that
were changed after they were applied, and tables of wrangler and drizzle that disagree. It
then applies all of them, in order, to a new database in memory under D1's rules. The
database itself is only read.

The exit code is 1 if something is wrong.`,
		Example:           `  skylite d1 migrations validate app`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.run)
	c.register(cmd)
	return cmd
}

// finding is a problem as it is printed.
type finding struct {
	Migration string `json:"migration"`
	Statement int    `json:"statement,omitempty"` // from 1
	Line      int    `json:"line,omitempty"`
	Offset    *int   `json:"offset,omitempty"`
	Text      string `json:"text"`
}

func (c *migrationsValidateCommand) run(ctx context.Context, args []string) error {
	findings := []finding{}
	err := c.with(ctx, args[0], migrate.Options{}, func(r *migrate.Runner) error {
		problems, err := r.Validate(ctx)
		if err != nil {
			return err
		}
		for _, p := range problems {
			findings = append(findings, findingOf(p.Record, p.Statement, p.Line, p.Offset, p.Text))
		}
		if len(r.Check()) > 0 {
			return nil // they cannot all be applied anyway
		}
		failure, err := c.rehearse(ctx)
		if failure != nil {
			findings = append(findings, findingOf(failure.Record, failure.Statement, failure.Line, failure.Offset,
				"on a new database: "+describe(failure.Err)))
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.json || !c.out.terminal {
		err = c.out.json(findings)
	}
	for _, f := range findings {
		where := ""
		if f.Line > 0 {
			where = fmt.Sprintf(":%d", f.Line)
		}
		fmt.Fprintf(c.stderr, "%s%s: %s\n", f.Migration, where, f.Text)
	}
	if len(findings) > 0 && err == nil {
		err = errors.Join(c.out.Flush(), fmt.Errorf("there is something wrong in %s", relative(c.p.dir)))
	}
	return err
}

func findingOf(r migrate.Record, statement, line, offset int, text string) finding {
	f := finding{Migration: r.Name, Statement: statement + 1, Line: line, Text: text}
	if offset >= 0 {
		f.Offset = &offset
	}
	return f
}

// rehearse applies all migrations to a new database.
func (c *migrationsValidateCommand) rehearse(ctx context.Context) (*migrate.Error, error) {
	source, err := c.p.files()
	if err != nil {
		return nil, err
	}
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		return nil, err
	}
	db := d1.New(backend)
	defer db.Close()
	r, err := migrate.New(db, source, migrate.Options{AllowDataLoss: true})
	if err != nil {
		return nil, err
	}
	_, err = r.Run(ctx)
	if failure, ok := errors.AsType[*migrate.Error](err); ok && ctx.Err() == nil {
		return failure, nil
	}
	return nil, err
}
