package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/migrate"
)

func (a *app) migrations() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "migrations",
		Short: "Take a database from schema to schema",
		Long: `Take a database from schema to schema, with the migrations of a folder. Names, arguments
and flags are those of wrangler d1 migrations, and so is the table that records what was
applied: either tool goes on where the other stopped.

The folder, the table and the pattern of the names come from wrangler.json, wrangler.jsonc
or wrangler.toml, if there is one that names the database, by its name or its binding.
Otherwise the folder is ./migrations.

With --source drizzle the folder is one of drizzle-kit's, and the table drizzle-orm's; with
--source files it has files of one statement each, known by their SHA-256.`,
		Example: `  skylite d1 migrations create app add_users
  skylite d1 migrations apply app
  skylite d1 migrations status app --remote
  skylite d1 migrations apply app --dry-run --source drizzle --dir drizzle`,
	}, a.migrationsCreate(), a.migrationsList(), a.migrationsApply(), a.migrationsStatus(), a.migrationsValidate(),
		a.migrationsAdopt(), a.migrationsGenerate(), a.migrationsRedo(), a.migrationsDown())
}

// migrationFlags say where a database's migrations are.
type migrationFlags struct {
	configFlags
	dir, source string
}

func (f *migrationFlags) register(cmd *cobra.Command) {
	f.configFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "the `folder` of the migrations (default: migrations_dir in the configuration, or else migrations)")
	flags.StringVar(&f.source, "source", "wrangler", "the form of the folder: "+strings.Join(migrationSources, ", "))
	// These fail only for flags that are not there.
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.RegisterFlagCompletionFunc("source", cobra.FixedCompletions(migrationSources, cobra.ShellCompDirectiveNoFileComp))
}

var migrationSources = []string{"wrangler", "drizzle", "files"}

// project is what is known of a database's migrations before the database is asked.
type project struct {
	name    string // of the database, for people
	id      string // what finds the database on Cloudflare
	dir     string
	table   string
	pattern string
	source  string
}

// project finds a database's migrations.
func (a *app) project(f *migrationFlags, database string) (*project, error) {
	if err := oneOf("source", f.source, migrationSources); err != nil {
		return nil, err
	}
	p := &project{name: database, id: database, dir: "migrations", source: f.source}
	if err := a.configure(p, f, database); err != nil {
		return nil, err
	}
	if f.dir != "" {
		p.dir = f.dir
	}
	return p, nil
}

// configure takes what the Worker's configuration says of the database, if it does.
func (a *app) configure(p *project, f *migrationFlags, database string) error {
	config, err := a.readConfig(&f.configFlags)
	if err != nil || config == nil {
		return err
	}
	db, ok := config.Database(database)
	if !ok {
		if f.config != "" {
			return withHint(fmt.Errorf("%s names no database %q", f.config, database), "its d1_databases have names and bindings")
		}
		return nil
	}
	p.name, p.id = cmp.Or(db.Name, database), cmp.Or(db.Name, database)
	if uuidForm.MatchString(db.ID) {
		p.id = db.ID
	}
	p.table = db.Table
	p.dir, p.pattern, err = config.Migrations(db)
	return err
}

// files opens the folder.
func (p *project) files() (migrate.Source, error) {
	if info, err := os.Stat(p.dir); err != nil || !info.IsDir() {
		if err == nil || errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("there is no folder %s", p.dir)
		}
		return nil, withHint(err, fmt.Sprintf("make a first migration with: skylite d1 migrations create %s NAME; "+
			"or name the folder with --dir or migrations_dir", quoteShell(p.name)))
	}
	fsys := os.DirFS(p.dir)
	switch p.source {
	case "drizzle":
		return migrate.Drizzle(fsys), nil
	case "files":
		return migrate.Files(fsys), nil
	}
	return migrate.Wrangler(fsys, p.pattern), nil
}

// migration is what the commands have in common that ask a database.
type migration struct {
	*app
	place  placeFlags
	flags  migrationFlags
	json   bool
	remote bool
	p      *project
}

func (c *migration) register(cmd *cobra.Command) {
	c.flags.register(cmd)
	c.place.registerWrangler(cmd, &c.flags.configFlags)
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
}

// with calls f with the runner of a database's migrations.
func (c *migration) with(ctx context.Context, database string, opts migrate.Options, f func(r *migrate.Runner) error) (err error) {
	if c.p, err = c.project(&c.flags, database); err != nil {
		return err
	}
	source, err := c.p.files()
	if err != nil {
		return err
	}
	pl, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(pl, &err)
	c.remote = pl.remote
	db, err := c.database(ctx, pl)
	if err != nil {
		return err
	}
	defer db.Close()
	opts.WranglerTable = c.p.table
	r, err := migrate.New(db, source, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", c.p.dir, err)
	}
	return adviseMigration(f(r))
}

// database opens the database: on Cloudflare by the ID that the configuration has, in a
// data folder, whose databases have other IDs, by its name.
func (c *migration) database(ctx context.Context, p *place) (*d1.DB, error) {
	if p.remote {
		return p.database(ctx, c.p.id)
	}
	return p.database(ctx, c.p.name)
}

// adviseMigration adds what to do about an error.
func adviseMigration(err error) error {
	if _, ok := errors.AsType[*migrate.DataLossError](err); ok {
		return withHint(err, "if the loss is meant, give --allow-data-loss")
	}
	e, ok := errors.AsType[*migrate.InvalidError](err)
	if !ok {
		return err
	}
	for _, p := range e.Problems {
		switch {
		case strings.Contains(p.Text, "adopt the database first"):
			return withHint(err, "see what there is to adopt with: skylite d1 migrations adopt DATABASE --dry-run")
		case strings.Contains(p.Text, "changed after it was applied"):
			return withHint(err, "if the change is harmless, such as one of a comment, give --allow-changed")
		case strings.Contains(p.Text, "older than the newest"):
			return withHint(err, "if it is to be applied all the same, give --allow-out-of-order")
		}
	}
	return err
}

// relative shortens a path for people.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}
