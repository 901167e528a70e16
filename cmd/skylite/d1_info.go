package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1/rest"
)

type infoCommand struct {
	*app
	place placeFlags
	json  bool
}

func (a *app) d1Info() *cobra.Command {
	c := &infoCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "info <name> [flags]",
		Short: "Tell the size and state of a database",
		Long: `Tell the size and state of a database. On a terminal this is a table, elsewhere and
with --json an object.`,
		Example: `  skylite d1 info app
  skylite d1 info app --remote --json`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"name"}, c.run)
	c.place.registerWrangler(cmd, nil)
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

// info is what there is to say of a database, with wrangler's keys.
type info struct {
	UUID            string               `json:"uuid"`
	Name            string               `json:"name"`
	CreatedAt       string               `json:"created_at"`
	NumTables       int                  `json:"num_tables"`
	DatabaseSize    int64                `json:"database_size"`
	RunningInRegion string               `json:"running_in_region"`
	ReadReplication rest.ReadReplication `json:"read_replication"`
	Jurisdiction    *string              `json:"jurisdiction"`
}

func infoOf(db rest.Database) info {
	return info{
		UUID: db.UUID, Name: db.Name, CreatedAt: jsonTime(db.CreatedAt),
		NumTables: db.NumTables, DatabaseSize: db.FileSize,
		RunningInRegion: cmp.Or(db.RunningInRegion, db.CreatedInRegion),
		ReadReplication: db.ReadReplication, Jurisdiction: orNull(db.Jurisdiction),
	}
}

func (c *infoCommand) run(ctx context.Context, args []string) (err error) {
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.Get(ctx, args[0])
	if cloudflare.StatusIs(err, 404) {
		return p.notFound(args[0])
	}
	if err != nil {
		return err
	}
	about := infoOf(db)
	if c.json || !c.out.terminal {
		return c.out.json(about)
	}
	table := c.out.table()
	table.Header([]string{"", about.UUID})
	for _, line := range [][2]string{
		{"name", about.Name},
		{"created_at", about.CreatedAt},
		{"num_tables", strconv.Itoa(about.NumTables)},
		{"database_size", byteSize(about.DatabaseSize)},
		{"running_in_region", about.RunningInRegion},
		{"read_replication.mode", about.ReadReplication.Mode},
		{"jurisdiction", db.Jurisdiction},
	} {
		if err := table.Row([]render.Cell{{Text: line[0]}, {Text: line[1]}}); err != nil {
			return err
		}
	}
	return table.End()
}

// byteSize writes a number of bytes with three digits, more or less.
func byteSize(n int64) string {
	size, unit := float64(n), ""
	for _, next := range []string{"kB", "MB", "GB"} {
		if size < 1000 {
			break
		}
		size, unit = size/1000, next
	}
	if unit == "" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", size, unit)
}
