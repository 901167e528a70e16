package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1/migrate"
)

type migrationsAdoptCommand struct {
	migration
	opts        migrate.AdoptOptions
	dryRun, yes bool
}

func (a *app) migrationsAdopt() *cobra.Command {
	c := &migrationsAdoptCommand{migration: migration{app: a}}
	cmd := a.action(&cobra.Command{
		Use:   "adopt <database> [flags]",
		Short: "Record migrations that another tool applied",
		Long: `Record migrations that another tool applied: what wrangler's table has, drizzle's gets, and
the other way round, so that each goes on where the other stopped. From then on every
migration is recorded in both. No migration runs.

It prints what it would write, and asks; if there is nobody to ask it writes nothing
without -y. With --baseline a migration, and all before it, are recorded although no table
has them: for a database whose schema came from elsewhere.`,
		Example: `  skylite d1 migrations adopt app --dry-run
  skylite d1 migrations adopt app --remote --source drizzle --dir drizzle
  skylite d1 migrations adopt app --baseline 0003_orders.sql -y`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.run)
	c.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.opts.Baseline, "baseline", "", "the last `migration` that is applied although nothing records it")
	flags.BoolVar(&c.opts.Other, "both", false, "make the other tool's table too if it is missing")
	flags.BoolVar(&c.dryRun, "dry-run", false, "print what would be written, and write nothing")
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (c *migrationsAdoptCommand) run(ctx context.Context, args []string) error {
	return c.with(ctx, args[0], migrate.Options{}, func(r *migrate.Runner) error {
		adoption, err := r.Adopt(ctx, c.opts)
		if err != nil {
			return err
		}
		if err := c.print(adoption); err != nil || c.dryRun {
			return err
		}
		if len(adoption.Statements) == 0 {
			fmt.Fprintln(c.stderr, "There is nothing to adopt.")
			return nil
		}
		if err := c.sure(ctx); err != nil {
			if errors.Is(err, errDeclined) {
				fmt.Fprintln(c.stderr, "Nothing was written.")
				return nil
			}
			return err
		}
		if err := adoption.Run(ctx); err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "Recorded %s.\n", count(int64(len(adoption.Rows)), "migration"))
		return nil
	})
}

func (c *migrationsAdoptCommand) sure(ctx context.Context) error {
	if !c.yes && !c.interactive() {
		return withHint(errors.New("adopting a database needs a confirmation, and there is nobody to ask; nothing was written"),
			"give -y if it is to be written")
	}
	return c.ask(ctx, c.yes, "Write this?")
}

func (c *migrationsAdoptCommand) print(adoption *migrate.Adoption) error {
	for _, row := range adoption.Rows {
		fmt.Fprintf(c.stderr, "  %s: %s (%s)\n", row.Ledger, row.Name, row.Because)
	}
	if c.json || !c.out.terminal {
		err := c.out.json(struct {
			Rows       []migrate.AdoptedRow `json:"rows"`
			Statements []string             `json:"statements"`
		}{append([]migrate.AdoptedRow{}, adoption.Rows...), append([]string{}, adoption.Statements...)})
		return errors.Join(err, c.out.Flush()) // before the question
	}
	if len(adoption.Statements) > 0 {
		fmt.Fprintf(c.out, "%s;\n", strings.Join(adoption.Statements, ";\n"))
	}
	return c.out.Flush()
}

type migrationsBackCommand struct {
	migration
	steps          int
	redo           bool
	yes, allowLoss bool
}

func (a *app) migrationsRedo() *cobra.Command {
	c := &migrationsBackCommand{migration: migration{app: a}, redo: true, steps: 1}
	return c.command(&cobra.Command{
		Use:   "redo <database> [flags]",
		Short: "Undo the last migration, and apply it again",
		Long: `Undo the last applied migration with its down migration, and apply it again, as one
transaction. What was in the tables that it makes is lost. Asks first; if there is nobody to
ask, it refuses without -y.

The down migration of NNNN_name.sql is down/NNNN_name.down.sql in a folder of wrangler's,
which would apply it otherwise, and NNNN_name.down.sql with --source files.`,
		Example: `  skylite d1 migrations redo app`,
	})
}

func (a *app) migrationsDown() *cobra.Command {
	c := &migrationsBackCommand{migration: migration{app: a}}
	cmd := c.command(&cobra.Command{
		Use:   "down <database> [flags]",
		Short: "Undo the last migration",
		Long: `Undo the last applied migration with its down migration, or the last few with --steps.
Asks first; if there is nobody to ask, it refuses without -y.`,
		Example: `  skylite d1 migrations down app --steps 2`,
	})
	cmd.Flags().IntVar(&c.steps, "steps", 1, "how many to undo")
	return cmd
}

func (c *migrationsBackCommand) command(cmd *cobra.Command) *cobra.Command {
	cmd.ValidArgsFunction = c.completeDatabase(&c.place)
	cmd = c.action(cmd, []string{"database"}, c.run)
	c.register(cmd)
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&c.allowLoss, "allow-data-loss", false, "let ON DELETE CASCADE and SET NULL do their work, and count no rows")
	return cmd
}

func (c *migrationsBackCommand) run(ctx context.Context, args []string) error {
	if c.steps < 1 {
		return usage(nil, "--steps is %d; it must be 1 or more", c.steps)
	}
	opts := migrate.Options{AllowDataLoss: c.allowLoss, Before: c.announce}
	err := c.with(ctx, args[0], opts, func(r *migrate.Runner) error {
		back := func() (migrate.Result, error) { return r.Down(ctx, c.steps) }
		if c.redo {
			back = func() (migrate.Result, error) { return r.Redo(ctx) }
		}
		result, err := back()
		if err != nil {
			return err
		}
		for _, m := range result.Applied {
			fmt.Fprintf(c.stderr, "%s %s\n", map[bool]string{true: "Did again", false: "Undid"}[c.redo], m.Name)
		}
		if c.out.terminal && !c.json {
			return nil
		}
		return c.out.json(append([]migrate.Record{}, result.Applied...))
	})
	if errors.Is(err, errDeclined) {
		fmt.Fprintln(c.stderr, "Nothing was undone.")
		return nil
	}
	return err
}

func (c *migrationsBackCommand) announce(ctx context.Context, plan *migrate.Plan) error {
	if !c.yes && !c.interactive() {
		return withHint(errors.New("undoing a migration needs a confirmation, and there is nobody to ask"), "give -y if it is to be undone")
	}
	fmt.Fprintln(c.stderr, "About to undo:")
	for _, b := range plan.Batches {
		fmt.Fprintf(c.stderr, "  %s\n", b.Name)
	}
	c.printBookmark(plan.Bookmark)
	return c.ask(ctx, c.yes, "What was in its tables is lost. Go on?")
}
