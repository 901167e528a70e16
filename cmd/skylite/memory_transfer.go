package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

// memoryRecord is a line of an export, or, with the plurals, a whole one.
type memoryRecord struct {
	Thread    *memory.Thread    `json:"thread,omitempty"`
	Message   *memory.Message   `json:"message,omitempty"`
	Metadata  *memory.Metadata  `json:"metadata,omitempty"`
	Threads   []memory.Thread   `json:"threads,omitempty"`
	Messages  []memory.Message  `json:"messages,omitempty"`
	Resources []memory.Metadata `json:"resources,omitempty"`
}

type memoryExportCommand struct {
	*app
	flags  memoryFlags
	format string
}

func (a *app) memoryExport() *cobra.Command {
	c := &memoryExportCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "export <database> [flags]",
		Short: "Write all conversations",
		Long: `Write all conversations, in the form that 'memory import' reads: a JSON object a line, which
holds a thread, a message of the thread before it, or the metadata of a resource; or
with --format json one object with threads, messages and resources. What changes
meanwhile may be in it or not.`,
		Example: `  skylite memory export app > conversations.ndjson
  skylite memory export app --layout mastra --format json | jq '.messages[].role'`,
		ValidArgsFunction: a.completeDatabase(&c.flags.place),
	}, []string{"database"}, c.run)
	c.flags.register(cmd)
	cmd.Flags().StringVar(&c.format, "format", "ndjson", "`ndjson` or json")
	return cmd
}

func (c *memoryExportCommand) run(ctx context.Context, args []string) error {
	if c.format != "ndjson" && c.format != "json" {
		return usage(nil, "--format is ndjson or json, and not %q", c.format)
	}
	return c.conversations(ctx, &c.flags, args[0], false, func(s *ond1.Store) error {
		var whole memoryRecord
		return c.export(ctx, s, func(r memoryRecord) error {
			if c.format == "json" {
				switch {
				case r.Thread != nil:
					whole.Threads = append(whole.Threads, *r.Thread)
				case r.Message != nil:
					whole.Messages = append(whole.Messages, *r.Message)
				case r.Metadata != nil:
					whole.Resources = append(whole.Resources, *r.Metadata)
				default: // the end
					return c.out.json(whole)
				}
				return nil
			}
			if r.Thread == nil && r.Message == nil && r.Metadata == nil {
				return nil
			}
			line, err := marshal(r)
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.out, line+"\n")
			return err
		})
	})
}

// export gives every thread with its messages, every resource's metadata, and at the end
// nothing.
func (c *memoryExportCommand) export(ctx context.Context, s *ond1.Store, write func(memoryRecord) error) error {
	for page, more := 0, true; more; page++ {
		threads, err := s.ListThreads(ctx, memory.ThreadQuery{Order: memory.Ascending, Page: page})
		if err != nil {
			return err
		}
		more = threads.HasMore
		for _, t := range threads.Threads {
			if err := write(memoryRecord{Thread: &t}); err != nil {
				return err
			}
			for m, err := range memory.Messages(ctx, s, memory.MessageQuery{ThreadIDs: []string{t.ID}, PerPage: 500}) {
				if err == nil {
					err = write(memoryRecord{Message: &m})
				}
				if err != nil {
					return err
				}
			}
		}
	}
	for id, err := range s.Resources(ctx) {
		if err != nil {
			return err
		}
		metadata, err := s.GetMetadata(ctx, id)
		if errors.Is(err, memory.ErrNotFound) {
			continue // gone meanwhile
		}
		if err == nil {
			err = write(memoryRecord{Metadata: &metadata})
		}
		if err != nil {
			return err
		}
	}
	return write(memoryRecord{})
}

type memoryImportCommand struct {
	*app
	flags memoryFlags
}

func (a *app) memoryImport() *cobra.Command {
	c := &memoryImportCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "import <database> <file> [flags]",
		Short: "Read conversations from a file",
		Long: `Read conversations from a file, or from standard input if it is -, in either form of
'memory export'. Threads and messages that are there already are replaced; nothing is
removed, so that an import which failed can be run again.`,
		Example: `  skylite memory import app conversations.ndjson
  skylite memory export app | skylite memory import app - --remote`,
	}, []string{"database", "file"}, c.run)
	c.flags.register(cmd)
	return cmd
}

func (c *memoryImportCommand) run(ctx context.Context, args []string) error {
	file, err := c.openInput(args[1])
	if err != nil {
		return err
	}
	defer file.Close() // it was only read
	return c.conversations(ctx, &c.flags, args[0], true, func(s *ond1.Store) error {
		l := &memoryLoader{store: s, owners: map[string]string{}, moved: map[string]memory.Thread{}}
		if err := l.load(ctx, file); err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "Imported %d threads, %d messages and the metadata of %d resources.\n", l.threads, l.messages, l.resources)
		return nil
	})
}

// memoryLoader stores what a file has, messages many at a time.
type memoryLoader struct {
	store                        *ond1.Store
	record                       int
	owners                       map[string]string        // the resources of threads
	moved                        map[string]memory.Thread // whose UpdatedAt messages have moved
	waiting                      []memory.Message
	size                         int
	threads, messages, resources int
}

func (l *memoryLoader) load(ctx context.Context, r io.Reader) error {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	for l.record = 1; ; l.record++ {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("record %d: %w", l.record, err)
		}
		if err := l.add(ctx, raw); err != nil {
			return fmt.Errorf("record %d: %w", l.record, err)
		}
	}
	if err := l.flush(ctx); err != nil {
		return err
	}
	for _, t := range l.moved { // back to when they really changed
		if _, err := l.store.SaveThread(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (l *memoryLoader) add(ctx context.Context, raw json.RawMessage) error {
	var r memoryRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	if r.Thread != nil {
		r.Threads = append(r.Threads, *r.Thread)
	}
	if r.Message != nil {
		r.Messages = append(r.Messages, *r.Message)
	}
	if r.Metadata != nil {
		r.Resources = append(r.Resources, *r.Metadata)
	}
	if len(r.Threads)+len(r.Messages)+len(r.Resources) == 0 {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil || len(members) > 0 {
			return errors.New("it has neither a thread, nor a message, nor metadata")
		}
	}
	for _, t := range r.Threads {
		if _, err := l.store.SaveThread(ctx, t); err != nil {
			return err
		}
		l.owners[t.ID], l.moved[t.ID] = t.ResourceID, t
		l.threads++
	}
	for i := range r.Messages {
		if m := &r.Messages[i]; m.ResourceID == "" { // Mastra allowed that once
			m.ResourceID = l.owners[m.ThreadID]
		}
	}
	// A message that is wrong is told by its record, and not when many are stored.
	if _, err := memory.CheckMessages(r.Messages, time.Now()); err != nil {
		return err
	}
	for _, m := range r.Messages {
		l.waiting = append(l.waiting, m)
		if l.size += len(m.Content); len(l.waiting) == 500 || l.size > 4<<20 {
			if err := l.flush(ctx); err != nil {
				return err
			}
		}
	}
	for _, m := range r.Resources {
		if _, err := l.store.SaveMetadata(ctx, m); err != nil {
			return err
		}
		l.resources++
	}
	return nil
}

func (l *memoryLoader) flush(ctx context.Context) error {
	if _, err := l.store.SaveMessages(ctx, l.waiting); err != nil {
		return err
	}
	l.messages += len(l.waiting)
	l.waiting, l.size = nil, 0
	return nil
}
