package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/structs"
	"github.com/skylite-go/skylite/d1/migrate"
)

type migrationsGenerateCommand struct {
	migration
	structs string
	dryRun  bool
}

func (a *app) migrationsGenerate() *cobra.Command {
	c := &migrationsGenerateCommand{migration: migration{app: a}}
	cmd := a.action(&cobra.Command{
		Use:   "generate <database> <message> [flags]",
		Short: "Write the migration that makes the tables of Go structs",
		Long: `Write the migration that takes a database from its present schema to the tables that the
structs of a Go package describe with ddl tags (see the documentation of d1/dialect), and
print its path. It makes tables, columns and indexes, and drops indexes. What else differs
is said, in the file too, and left to you.

A new table is what dialect.Table.DDL makes when a program runs, byte for byte. Apply
pending migrations first, or their changes come again.`,
		Example: `  skylite d1 migrations generate app "add orders" --structs ./internal/model
  skylite d1 migrations generate app "add orders" --structs ./internal/model --dry-run`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database", "message"}, c.run)
	c.flags.register(cmd)
	c.place.registerWrangler(cmd, &c.flags.configFlags)
	cmd.Flags().StringVar(&c.structs, "structs", ".", "the `folder` of the Go package")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "print the migration, and write no file")
	_ = cmd.MarkFlagDirname("structs") // fails only for a flag that is not there
	return cmd
}

func (c *migrationsGenerateCommand) run(ctx context.Context, args []string) (err error) {
	if c.p, err = c.project(&c.flags, args[0]); err != nil {
		return err
	}
	if _, _, err := c.p.next(args[1]); err != nil {
		return err
	}
	tables, err := structs.Tables(c.structs)
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return withHint(fmt.Errorf("no struct in %s has a ddl tag, so none is a table", c.structs), "name the package's folder with --structs")
	}
	pl, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(pl, &err)
	db, err := c.database(ctx, pl)
	if err != nil {
		return err
	}
	defer db.Close()
	changes, err := migrate.Diff(ctx, db, tables...)
	if err != nil {
		return err
	}
	for _, left := range changes.Left {
		fmt.Fprintf(c.stderr, "skylite: left to you: %s\n", left)
	}
	if len(changes.Steps) == 0 {
		fmt.Fprintln(c.stderr, "There is nothing to generate.")
		return nil
	}
	return c.write(changes, args[1])
}

// write writes the file, or a file for each statement where a migration is one.
func (c *migrationsGenerateCommand) write(changes *migrate.Changes, message string) error {
	files := [][]migrate.Change{changes.Steps}
	if c.p.source == "files" {
		files = nil
		for _, step := range changes.Steps {
			files = append(files, []migrate.Change{step})
		}
	}
	for i, steps := range files {
		left := changes.Left
		if i > 0 {
			left = nil
		}
		if c.dryRun {
			fmt.Fprint(c.out, migrationText(steps, left))
			continue
		}
		name, number, err := c.p.next(message)
		if err != nil {
			return err
		}
		head := fmt.Sprintf("-- Migration number: %s \t %s\n", number, jsonTime(time.Now()))
		if err := c.p.create(name+".sql", head+migrationText(steps, left)); err != nil {
			return errors.Join(err, c.out.Flush())
		}
		fmt.Fprintln(c.out, filepath.Join(relative(c.p.dir), name+".sql"))
	}
	return nil
}

func migrationText(steps []migrate.Change, left []string) string {
	var b strings.Builder
	for _, text := range left {
		fmt.Fprintf(&b, "-- Left to you: %s\n", oneLine(text))
	}
	for _, step := range steps {
		fmt.Fprintf(&b, "\n-- %s\n%s;\n", oneLine(step.Summary), step.SQL)
	}
	return b.String()
}

// oneLine keeps a text within one comment.
func oneLine(text string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(text) }
