package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/dbdiff"
)

// copyCommand puts one database in the place of another.
type copyCommand struct {
	*app
	push                bool
	sides               sideFlags
	force, noData, json bool

	from, to *side
	source   *dbdiff.Database
	taken    d1.Bookmark // of the target, before anything was done to it
}

const copyHelp = `
The source is exported and imported as one transaction, and then both sides are compared:
their schemas, and of every table how many rows there are and a checksum, which both
databases compute by SQL. If that fails, the target is as it was. A target that is not
empty is refused, unless it is equal to the source already, when there is nothing to do;
with --force all that is in it goes, and the command that brings it back is printed.

What was exported is kept if a later step fails, and used again if the source's bookmark
is still the same; the service does not ask again for a file that it has. 

` + sidesHelp

func (a *app) d1Push() *cobra.Command {
	c := &copyCommand{app: a, push: true}
	cmd := a.action(&cobra.Command{
		Use:   "push <local> <remote> [flags]",
		Short: "Put a local database in the place of one on Cloudflare",
		Long:  "Put a local database in the place of one on Cloudflare, which must be there.\n" + copyHelp,
		Example: `  skylite d1 create app --remote && skylite d1 push app app
  skylite d1 push ./old.sqlite app --force
  skylite d1 push wrangler:DB app`,
	}, []string{"local", "remote"}, c.run)
	c.register(cmd)
	return cmd
}

func (a *app) d1Pull() *cobra.Command {
	c := &copyCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "pull <remote> <local> [flags]",
		Short: "Put a database on Cloudflare in the place of a local one",
		Long:  "Put a database on Cloudflare in the place of a local one, which is made if it is not there.\n" + copyHelp,
		Example: `  skylite d1 pull app app
  skylite d1 pull app ./app.sqlite`,
	}, []string{"remote", "local"}, c.run)
	c.register(cmd)
	return cmd
}

func (c *copyCommand) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	c.sides.register(cmd)
	flags.BoolVarP(&c.force, "force", "f", false, "replace what is in the target")
	flags.BoolVar(&c.noData, "no-data", false, "copy the schema only")
	flags.BoolVar(&c.json, "json", false, "print what was copied as JSON")
}

func (c *copyCommand) run(ctx context.Context, args []string) (err error) {
	if c.from, err = c.openSide(ctx, &c.sides, args[0], !c.push, false); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.from.Close()) }()
	if c.to, err = c.openSide(ctx, &c.sides, args[1], c.push, true); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.to.Close()) }()
	if err = c.copy(ctx); err != nil {
		err = errors.Join(err, c.to.unmake(ctx))
	}
	return err
}

func (c *copyCommand) copy(ctx context.Context) (err error) {
	if c.source, err = dbdiff.Load(ctx, c.from); err != nil {
		return err
	}
	if len(c.source.Objects) == 0 {
		return fmt.Errorf("the database %s is empty: there is nothing to copy", c.from.name)
	}
	target, err := dbdiff.Load(ctx, c.to)
	if err != nil {
		return err
	}
	if len(target.Objects) > 0 {
		if done, err := c.occupied(ctx, target); done || err != nil {
			return err
		}
	}
	dump, err := c.dump(ctx, c.from, d1.ExportOptions{NoData: c.noData})
	if err != nil {
		return err
	}
	defer dump.Close()
	if err := c.load(ctx, target, dump.File); err != nil {
		return err
	}
	sums, err := c.verify(ctx)
	if err != nil {
		return c.undo(ctx, err)
	}
	dump.remove()
	return c.tell(sums)
}

// occupied decides about a target that is not empty. It is done if it is equal already.
func (c *copyCommand) occupied(ctx context.Context, target *dbdiff.Database) (done bool, err error) {
	if len(dbdiff.Compare(c.source, target)) == 0 && !c.noData {
		sums, err := c.compare(ctx, target)
		if err == nil {
			fmt.Fprintf(c.stderr, "Nothing to do: the database %s is equal to %s already.\n", c.to.name, c.from.name)
			if old, err := dumpOf(c.from, d1.ExportOptions{}); err == nil {
				old.remove() // of a copy whose end nobody was told
			}
			return true, c.print(sums)
		}
		if _, different := errors.AsType[*differentError](err); !different {
			return false, err
		}
	}
	if !c.force {
		return false, withHint(fmt.Errorf("the database %s is not empty: it has %s; nothing was done", c.to.name, describeObjects(target)),
			"'skylite d1 diff' shows the differences; --force replaces all that is in it")
	}
	if c.taken, err = c.to.bookmark(ctx); err != nil {
		return false, fmt.Errorf("take a bookmark before the target is replaced: %w", err)
	}
	if c.taken != "" {
		fmt.Fprintf(c.stderr, "The database %s as it is now comes back with:\n  %s\n", c.to.name, c.to.undo(c.taken))
	} else {
		fmt.Fprintf(c.stderr, "skylite: note: %s has no time travel: what is replaced in it will be gone\n", c.to.name)
	}
	return false, nil
}

func describeObjects(d *dbdiff.Database) string {
	names := make([]string, 0, 4)
	for _, o := range d.Objects {
		if len(names) == 3 {
			names = append(names, "…")
			break
		}
		names = append(names, "the "+o.Type+" "+o.Name)
	}
	return strings.Join(names, ", ")
}

// load imports the dump. What is in the target goes in the same transaction.
func (c *copyCommand) load(ctx context.Context, target *dbdiff.Database, dump *os.File) error {
	script := dump
	if len(target.Objects) > 0 {
		whole, err := os.CreateTemp("", "skylite-*.sql")
		if err != nil {
			return err
		}
		defer os.Remove(whole.Name())
		defer whole.Close()
		if _, err := io.WriteString(whole, dropAll(target)); err != nil {
			return err
		}
		if _, err := io.Copy(whole, dump); err != nil {
			return err
		}
		script = whole
	}
	if _, err := script.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := c.importScript(ctx, c.to.DB, script)
	switch {
	case err == nil:
		return nil
	case d1.Ambiguous(err) || ctx.Err() != nil:
		return withHint(fmt.Errorf("import into %s: whether it was done is not known, but it was done as a whole or not at all: %w", c.to.name, err),
			"run the same command again: it finds out")
	}
	return fmt.Errorf("import into %s, which is as it was: %w", c.to.name, err)
}

// tableSum is what a table of the copy comes to.
type tableSum struct {
	Name     string `json:"name"`
	Rows     int64  `json:"rows"`
	Checksum string `json:"checksum"`
}

// differentError says that two databases are not equal.
type differentError struct{ what string }

func (e *differentError) Error() string { return e.what }

// verify compares the target with the source.
func (c *copyCommand) verify(ctx context.Context) ([]tableSum, error) {
	target, err := dbdiff.Load(ctx, c.to)
	if err != nil {
		return nil, err
	}
	if changes := dbdiff.Compare(c.source, target); len(changes) > 0 {
		return nil, &differentError{fmt.Sprintf("the %s %s is not the same on both sides", changes[0].Type, changes[0].Name)}
	}
	if c.noData {
		return nil, nil
	}
	return c.compare(ctx, target)
}

// compare compares the rows of every table, on both sides at the same time.
func (c *copyCommand) compare(ctx context.Context, target *dbdiff.Database) (sums []tableSum, err error) {
	p := c.progress("Comparing")
	defer p.end()
	for _, t := range c.source.Tables {
		other := target.Table(t.Name)
		if other == nil {
			if sum, err := dbdiff.Sum(ctx, t, nil); err != nil || sum.Rows > 0 {
				return nil, errors.Join(err, &differentError{fmt.Sprintf("the target has no table %s", t.Name)})
			}
			continue // counters that count nothing
		}
		theirs := aside.Start(func() (dbdiff.Checksum, error) { return dbdiff.Sum(ctx, other, nil) })
		mine, err := dbdiff.Sum(ctx, t, p.rows)
		yours, err2 := theirs()
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
		if mine != yours {
			return nil, &differentError{fmt.Sprintf("the table %s has %d rows and the checksum %x·%x in the source, and %d rows and %x·%x in the target",
				t.Name, mine.Rows, mine.A, mine.B, yours.Rows, yours.A, yours.B)}
		}
		sums = append(sums, tableSum{t.Name, mine.Rows, fmt.Sprintf("%x·%x", mine.A, mine.B)})
	}
	return sums, nil
}

// undo puts the target back after what was imported turned out not to be the source.
func (c *copyCommand) undo(ctx context.Context, cause error) error {
	if _, different := errors.AsType[*differentError](cause); !different {
		return withHint(fmt.Errorf("the import is done, but comparing failed: %w", cause), "run the same command again: it compares first")
	}
	cause = withHint(fmt.Errorf("the copy is not equal to its source: %w", cause), "if the source was written to meanwhile, stop that, and run it again")
	if c.to.remove != nil {
		return cause // it is deleted
	}
	ctx = context.WithoutCancel(ctx)
	if c.taken != "" {
		_, err := c.to.Backend().(d1.TimeTraveler).Restore(ctx, c.taken)
		return c.undone(cause, err)
	}
	if c.force {
		return fmt.Errorf("%w; the target has what was imported", cause)
	}
	target, err := dbdiff.Load(ctx, c.to)
	if err == nil {
		_, err = c.importScript(ctx, c.to.DB, strings.NewReader(dropAll(target)))
	}
	return c.undone(cause, err)
}

func (c *copyCommand) undone(cause, err error) error {
	if err != nil {
		return fmt.Errorf("%w; and the target could not be put back: %w", cause, err)
	}
	return fmt.Errorf("%w; the target was put back as it was", cause)
}

func (c *copyCommand) tell(sums []tableSum) error {
	rows := int64(0)
	for _, s := range sums {
		rows += s.Rows
	}
	what := fmt.Sprintf("%s with %s, equal on both sides by checksum", count(int64(len(sums)), "table"), count(rows, "row"))
	if c.noData {
		what = "the schema"
	}
	fmt.Fprintf(c.stderr, "Copied %s to %s: %s.\n", c.from.name, c.to.name, what)
	return c.print(sums)
}

func (c *copyCommand) print(sums []tableSum) error {
	if !c.json {
		return nil
	}
	return c.out.json(struct {
		Tables   []tableSum `json:"tables"`
		Previous *string    `json:"previous_bookmark"`
	}{append([]tableSum{}, sums...), orNull(string(c.taken))})
}
