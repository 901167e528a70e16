package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/migrate"
)

type migrationsApplyCommand struct {
	migration
	dryRun, yes                       bool
	allowLoss, allowChanged, allowOld bool
}

func (a *app) migrationsApply() *cobra.Command {
	c := &migrationsApplyCommand{migration: migration{app: a}}
	cmd := a.action(&cobra.Command{
		Use:   "apply <database> [flags]",
		Short: "Apply the migrations that are not applied yet",
		Long: `Apply the migrations that are not applied yet, in order. Each is one transaction together
with its row in the table that records it; if one fails, those before it stay. On a
terminal it asks first.

What D1 is known to refuse, such as BEGIN, is reported before anything runs. A migration
that deletes rows by ON DELETE CASCADE, as the DROP TABLE in a rebuild of a table does, is
undone and reported, with the way to do it. On Cloudflare a bookmark is taken first, and
the command that restores it is printed.

--dry-run prints the exact statements, and runs nothing.`,
		Example: `  skylite d1 migrations apply app
  skylite d1 migrations apply app --remote --dry-run`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.run)
	c.register(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&c.dryRun, "dry-run", false, "print what would be sent, and send nothing")
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&c.allowLoss, "allow-data-loss", false, "let ON DELETE CASCADE and SET NULL do their work, and count no rows")
	flags.BoolVar(&c.allowChanged, "allow-changed", false, "take migrations that were changed since for applied")
	flags.BoolVar(&c.allowOld, "allow-out-of-order", false, "apply migrations that drizzle would pass over")
	return cmd
}

var errDeclined = errors.New("nothing was applied")

func (c *migrationsApplyCommand) run(ctx context.Context, args []string) error {
	opts := migrate.Options{
		AllowDataLoss: c.allowLoss, AllowChanged: c.allowChanged, AllowOutOfOrder: c.allowOld,
		Before: c.announce,
		After:  func(r migrate.Record) { fmt.Fprintf(c.stderr, "Applied %s\n", r.Name) },
	}
	err := c.with(ctx, args[0], opts, func(r *migrate.Runner) error {
		if c.dryRun {
			plan, err := r.Plan(ctx)
			if err != nil {
				return err
			}
			return c.printPlan(plan)
		}
		result, err := r.Run(ctx)
		if err != nil {
			return err
		}
		return c.printResult(result)
	})
	if errors.Is(err, errDeclined) {
		fmt.Fprintln(c.stderr, "Nothing was applied.")
		return nil
	}
	return err
}

// announce says what will be done, and asks if somebody is there.
func (c *migrationsApplyCommand) announce(ctx context.Context, plan *migrate.Plan) error {
	c.notes(plan)
	fmt.Fprintf(c.stderr, "About to apply %s:\n", count(int64(len(plan.Batches)), "migration"))
	for _, b := range plan.Batches {
		fmt.Fprintf(c.stderr, "  %s\n", b.Name)
	}
	c.printBookmark(plan.Bookmark)
	return c.ask(ctx, c.yes, "Your database may not be available to serve requests meanwhile. Go on?")
}

func (c *migration) notes(plan *migrate.Plan) {
	for _, note := range plan.Notes {
		fmt.Fprintf(c.stderr, "skylite: note: %s\n", note)
	}
}

// ask asks whoever is there. Nobody is taken for a yes, as wrangler takes it.
func (c *migration) ask(ctx context.Context, yes bool, question string) error {
	if yes || !c.interactive() {
		return nil
	}
	sure, err := c.confirm(ctx, question)
	if err == nil && !sure {
		err = errDeclined
	}
	return err
}

// printBookmark says how to go back.
func (c *migration) printBookmark(b d1.Bookmark) {
	if b != "" {
		fmt.Fprintf(c.stderr, "The database as it is now comes back with:\n  %s\n", restoreCommand(c.p.name, b, c.remote))
	}
}

func (c *migrationsApplyCommand) printPlan(plan *migrate.Plan) error {
	c.notes(plan)
	if c.json {
		type batch struct {
			migrate.Record
			Statements []string `json:"statements"`
		}
		all := struct {
			Setup   []string `json:"setup"`
			Batches []batch  `json:"batches"`
		}{append([]string{}, plan.Setup...), []batch{}}
		for _, b := range plan.Batches {
			all.Batches = append(all.Batches, batch{b.Record, b.Statements})
		}
		return c.out.json(all)
	}
	for _, sql := range plan.Setup {
		fmt.Fprintf(c.out, "-- the table that records migrations\n%s;\n\n", sql)
	}
	for _, b := range plan.Batches {
		fmt.Fprintf(c.out, "-- %s, one transaction of %s\n%s;\n\n", b.Name, count(int64(len(b.Statements)), "statement"),
			strings.Join(b.Statements, ";\n"))
	}
	if len(plan.Batches) == 0 {
		fmt.Fprintln(c.stderr, nothingToApply)
	}
	return nil
}

const nothingToApply = "No migrations to apply!" // wrangler's words, which scripts know

func (c *migrationsApplyCommand) printResult(result migrate.Result) error {
	if len(result.Applied) == 0 {
		fmt.Fprintln(c.stderr, nothingToApply)
	}
	if c.out.terminal && !c.json {
		return nil
	}
	return c.out.json(struct {
		Applied  []migrate.Record `json:"applied"`
		Skipped  []migrate.Record `json:"skipped"`
		Bookmark *string          `json:"bookmark"`
	}{append([]migrate.Record{}, result.Applied...), append([]migrate.Record{}, result.Skipped...), orNull(string(result.Bookmark))})
}
