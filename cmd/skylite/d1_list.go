package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1/rest"
)

type listCommand struct {
	*app
	place placeFlags
	json  bool
}

func (a *app) d1List() *cobra.Command {
	c := &listCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "list [flags]",
		Short: "List the databases",
		Long: `List the databases. On a terminal this is a table, elsewhere and with --json an array
of objects with uuid, name, created_at, version and jurisdiction.`,
		Example: `  skylite d1 list
  skylite d1 list --remote --json`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, nil, c.run)
	c.place.registerWrangler(cmd, nil)
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

// listed is a database in a list, with the API's keys in the API's order.
type listed struct {
	UUID         string  `json:"uuid"`
	Name         string  `json:"name"`
	CreatedAt    string  `json:"created_at"`
	Version      string  `json:"version"`
	Jurisdiction *string `json:"jurisdiction"`
}

func (c *listCommand) run(ctx context.Context, _ []string) (err error) {
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	all := []listed{}
	for db, err := range p.List(ctx, rest.ListOptions{}) {
		if err != nil {
			return err
		}
		all = append(all, listed{db.UUID, db.Name, jsonTime(db.CreatedAt), db.Version, orNull(db.Jurisdiction)})
	}
	if c.json || !c.out.terminal {
		return c.out.json(all)
	}
	table := c.out.table()
	table.Header([]string{"uuid", "name", "created_at", "jurisdiction"})
	for _, db := range all {
		jurisdiction := ""
		if db.Jurisdiction != nil {
			jurisdiction = *db.Jurisdiction
		}
		row := []render.Cell{{Text: db.UUID}, {Text: db.Name}, {Text: db.CreatedAt}, {Text: jurisdiction}}
		if err := table.Row(row); err != nil {
			return err
		}
	}
	return table.End()
}
