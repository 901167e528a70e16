package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

func (a *app) memory() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "memory",
		Short: "Look at agents' conversations, and move them",
		Long: `Look at the conversations of agents in a D1 database, and move them, in the data folder
or, with --remote, on Cloudflare. --layout mastra is for databases that Mastra uses.`,
		Example: `  skylite memory threads app
  skylite memory messages app THREAD --last 20
  skylite memory export app --remote --layout mastra > conversations.ndjson
  skylite memory import app conversations.ndjson`,
	}, a.memoryThreads(), a.memoryMessages(), a.memoryExport(), a.memoryImport())
}

// memoryFlags choose the tables of a database, and the place where it is.
type memoryFlags struct {
	place          placeFlags
	layout, prefix string
}

func (f *memoryFlags) register(cmd *cobra.Command) {
	f.place.registerWrangler(cmd, nil)
	cmd.Flags().StringVar(&f.layout, "layout", "default", "whose tables: `default` or mastra")
	cmd.Flags().StringVar(&f.prefix, "table-prefix", "", "what the tables' `names` begin with")
	_ = cmd.RegisterFlagCompletionFunc("layout", cobra.FixedCompletions([]string{"default", "mastra"}, cobra.ShellCompDirectiveNoFileComp))
}

// conversations opens a database's conversations, and does something with them. Only what
// writes makes tables.
func (a *app) conversations(ctx context.Context, f *memoryFlags, database string, writes bool, do func(s *ond1.Store) error) (err error) {
	cfg := ond1.Config{TablePrefix: f.prefix, DisableInit: !writes, Large: ond1.LargeChunk}
	switch f.layout {
	case "default", "":
	case string(ond1.LayoutMastra):
		cfg.Layout, cfg.Large = ond1.LayoutMastra, ond1.LargeRefuse
	default:
		return usage(nil, "--layout is default or mastra, and not %q", f.layout)
	}
	p, err := a.open(&f.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.database(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close() // it has nothing of its own to free
	s, err := ond1.New(db, cfg)
	if err != nil {
		return usage(nil, "%s", strings.TrimPrefix(err.Error(), "memory: "))
	}
	err = do(s)
	e, ok := errors.AsType[*d1.Error](err)
	switch {
	case ok && !writes && strings.Contains(e.Message, "no such column: "): // tables of an older Mastra
		if err := s.Init(ctx); err != nil {
			return err
		}
		a.out.Drop()
		return do(s)
	case ok && strings.Contains(e.Message, "no such table: "):
		return withHint(fmt.Errorf("there are no conversations in %q (%s)", database, e.Message),
			"give --layout mastra or --table-prefix if they are in other tables")
	}
	return err
}

type memoryThreadsCommand struct {
	*app
	flags       memoryFlags
	resource    string
	limit, page int
	json        bool
}

func (a *app) memoryThreads() *cobra.Command {
	c := &memoryThreadsCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "threads <database> [flags]",
		Short: "List the threads",
		Long: `List the threads, those that changed last first. On a terminal this is a table, elsewhere
and with --json an array of objects.`,
		Example:           `  skylite memory threads app --resource user-7`,
		ValidArgsFunction: a.completeDatabase(&c.flags.place),
	}, []string{"database"}, c.run)
	c.flags.register(cmd)
	cmd.Flags().StringVar(&c.resource, "resource", "", "those of a resource, by its `id`")
	cmd.Flags().IntVar(&c.limit, "limit", memory.DefaultThreads, "how many")
	cmd.Flags().IntVar(&c.page, "page", 0, "the page, from 0")
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

func (c *memoryThreadsCommand) run(ctx context.Context, args []string) error {
	if c.limit < 1 || c.page < 0 {
		return usage(nil, "--limit must be at least 1, and --page at least 0")
	}
	return c.conversations(ctx, &c.flags, args[0], false, func(s *ond1.Store) error {
		page, err := s.ListThreads(ctx, memory.ThreadQuery{ResourceID: c.resource, OrderBy: memory.ByUpdatedAt, PerPage: c.limit, Page: c.page})
		if err != nil {
			return err
		}
		if c.json || !c.out.terminal {
			if page.Threads == nil {
				page.Threads = []memory.Thread{}
			}
			return c.out.json(page.Threads)
		}
		var rows [][]string
		for _, t := range page.Threads {
			rows = append(rows, []string{t.ID, t.ResourceID, t.Title, jsonTime(t.UpdatedAt)})
		}
		return c.printTable([]string{"id", "resource", "title", "updated"}, rows)
	})
}

func (a *app) printTable(header []string, rows [][]string) error {
	table := a.out.table()
	table.Header(header)
	for _, row := range rows {
		cells := make([]render.Cell, len(row))
		for i, text := range row {
			cells[i].Text = text
		}
		if err := table.Row(cells); err != nil {
			return err
		}
	}
	return table.End()
}

type memoryMessagesCommand struct {
	*app
	flags       memoryFlags
	last, limit int
	json        bool
}

func (a *app) memoryMessages() *cobra.Command {
	c := &memoryMessagesCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "messages <database> <thread> [flags]",
		Short: "List the messages of a thread",
		Long: `List the messages of a thread, in their order. On a terminal this is a table of the texts,
elsewhere and with --json an array of objects with all there is.`,
		Example:           `  skylite memory messages app THREAD --last 20`,
		ValidArgsFunction: a.completeDatabase(&c.flags.place),
	}, []string{"database", "thread"}, c.run)
	c.flags.register(cmd)
	cmd.Flags().IntVar(&c.last, "last", 0, "only the last `n`")
	cmd.Flags().IntVar(&c.limit, "limit", 0, "only the first `n`")
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

func (c *memoryMessagesCommand) run(ctx context.Context, args []string) error {
	switch {
	case c.last < 0 || c.limit < 0:
		return usage(nil, "--last and --limit must be at least 1")
	case c.last > 0 && c.limit > 0:
		return usage(nil, "--last and --limit cannot be used together")
	}
	return c.conversations(ctx, &c.flags, args[0], false, func(s *ond1.Store) error {
		if _, err := s.GetThread(ctx, args[1]); err != nil {
			return err
		}
		messages, err := c.messages(ctx, s, args[1])
		if err != nil {
			return err
		}
		if c.json || !c.out.terminal {
			if messages == nil {
				messages = []memory.Message{}
			}
			return c.out.json(messages)
		}
		var rows [][]string
		for _, m := range messages {
			text := string(m.Content)
			if content, err := memory.ParseContent(m.Content); err == nil {
				text = content.String()
			}
			rows = append(rows, []string{jsonTime(m.CreatedAt), m.Role, text})
		}
		return c.printTable([]string{"created", "role", "text"}, rows)
	})
}

func (c *memoryMessagesCommand) messages(ctx context.Context, s *ond1.Store, thread string) ([]memory.Message, error) {
	if c.last > 0 {
		return memory.Last(ctx, s, thread, c.last)
	}
	var all []memory.Message
	for m, err := range memory.Messages(ctx, s, memory.MessageQuery{ThreadIDs: []string{thread}, PerPage: 500}) {
		if err != nil {
			return nil, err
		}
		if all = append(all, m); len(all) == c.limit {
			break
		}
	}
	return all, nil
}
