package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
)

// Codes of the API: for a statement that fails, and for a database whose name is taken.
const (
	codeSQL    = 7500
	codeExists = 7502
)

var (
	locations     = []string{"weur", "eeur", "apac", "oc", "wnam", "enam"}
	jurisdictions = []string{"eu", "fedramp", "us"}
)

type createCommand struct {
	*app
	place                           placeFlags
	location, jurisdiction, binding string
	json                            bool
}

func (a *app) d1Create() *cobra.Command {
	c := &createCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "create <name> [flags]",
		Short: "Make a database",
		Long: `Make a database, and print the lines that a Worker's configuration needs to use it.
With --json, print the database instead.`,
		Example: `  skylite d1 create app
  skylite d1 create app --remote --location weur`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"name"}, c.run)
	c.place.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.location, "location", "", "where the primary should run: "+strings.Join(locations, ", "))
	flags.StringVar(&c.jurisdiction, "jurisdiction", "", "what the data must not leave: "+strings.Join(jurisdictions, ", "))
	flags.StringVar(&c.binding, "binding", "", "the binding's `name` in the printed configuration (default: the database's)")
	flags.BoolVar(&c.json, "json", false, "print the database as JSON")
	return cmd
}

func (c *createCommand) run(ctx context.Context, args []string) (err error) {
	if err := oneOf("location", c.location, locations); err != nil {
		return err
	}
	if err := oneOf("jurisdiction", c.jurisdiction, jurisdictions); err != nil {
		return err
	}
	name := args[0]
	p, err := c.open(&c.place, true)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.Create(ctx, name, rest.CreateOptions{LocationHint: c.location, Jurisdiction: c.jurisdiction})
	if e, ok := errors.AsType[*d1.Error](err); ok && e.APICode == codeExists {
		return fmt.Errorf("there is a database %q in %s already", name, p.where)
	}
	if err != nil {
		return err
	}
	if c.json {
		return c.out.json(infoOf(db))
	}
	fmt.Fprintf(c.stderr, "Made the database %q in %s.\n", name, p.where)
	return c.out.json(c.configuration(db))
}

// configuration is the part of a Worker's configuration for a database.
func (c *createCommand) configuration(db rest.Database) any {
	type binding struct {
		Binding      string `json:"binding"`
		DatabaseName string `json:"database_name"`
		DatabaseID   string `json:"database_id"`
	}
	name := c.binding
	if name == "" {
		name = notInNames.ReplaceAllString(db.Name, "_")
	}
	return struct {
		Databases []binding `json:"d1_databases"`
	}{[]binding{{name, db.Name, db.UUID}}}
}

// notInNames is what a binding, which is a name in JavaScript, must not have.
var notInNames = regexp.MustCompile(`^[^A-Za-z_]|[^A-Za-z0-9_]`)

// oneOf checks a flag that has a few values only.
func oneOf(flag, value string, choices []string) error {
	if value == "" || slices.Contains(choices, value) {
		return nil
	}
	return usage(nil, "--%s is %q; it must be one of %s", flag, value, strings.Join(choices, ", "))
}

// closing closes a place at the end of a command. That it fails matters only if
// nothing failed before.
func closing(p *place, err *error) {
	if closeErr := p.Close(); *err == nil {
		*err = closeErr
	}
}
