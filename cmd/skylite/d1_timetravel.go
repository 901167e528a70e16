package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
)

type travelCommand struct {
	*app
	place     placeFlags
	timestamp string
	bookmark  string
	json, yes bool
}

func (a *app) d1TimeTravel() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "time-travel",
		Short: "Name past states of a database, and go back to them",
		Long: `Name past states of a database, and go back to them. States are kept for 30 days, unless
the server says otherwise.`,
		Example: `  skylite d1 time-travel info app
  skylite d1 time-travel restore app --bookmark 18eb29fc-9cf54021-0000512e-9ce242df2f9259bbe6fe427a180233f6`,
	}, a.d1TravelInfo(), a.d1TravelRestore())
}

const timestampUsage = "a `time`: RFC 3339, or Unix seconds or milliseconds"

func (a *app) d1TravelInfo() *cobra.Command {
	c := &travelCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "info <name> [flags]",
		Short: "Print the bookmark of a database as it is, or was",
		Example: `  skylite d1 time-travel info app
  skylite d1 time-travel info app --timestamp 2026-10-05T04:12:09Z --json`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"name"}, c.info)
	c.place.register(cmd)
	cmd.Flags().StringVar(&c.timestamp, "timestamp", "", timestampUsage)
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

func (a *app) d1TravelRestore() *cobra.Command {
	c := &travelCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "restore <name> [flags]",
		Short: "Put a database back into a past state",
		Long: `Put a database back into the state that a bookmark names, or that it had at a time. What
was written since is gone, until you restore to the bookmark that is printed then.`,
		Example: `  skylite d1 time-travel restore app --timestamp 2026-10-05T04:12:09Z
  skylite d1 time-travel restore app --remote -y --bookmark 18eb29fc-9cf54021-0000512e-9ce242df2f9259bbe6fe427a180233f6`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"name"}, c.restore)
	c.place.register(cmd)
	cmd.Flags().StringVar(&c.bookmark, "bookmark", "", "the `bookmark` of the state")
	cmd.Flags().StringVar(&c.timestamp, "timestamp", "", timestampUsage)
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	return cmd
}

// travel calls a function with the database, and with the time that is wanted.
func (c *travelCommand) travel(ctx context.Context, name string, run func(t d1.TimeTraveler, at time.Time, where string) error) (err error) {
	at, err := parseTimestamp(c.timestamp)
	if err != nil {
		return err
	}
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.database(ctx, name)
	if err != nil {
		return err
	}
	defer db.Close()
	return run(db.Backend().(d1.TimeTraveler), at, p.where)
}

func (c *travelCommand) info(ctx context.Context, args []string) error {
	return c.travel(ctx, args[0], func(t d1.TimeTraveler, at time.Time, _ string) error {
		bookmark, err := t.BookmarkAt(ctx, at)
		if err != nil {
			return err
		}
		if c.json || !c.out.terminal {
			return c.out.json(struct {
				Bookmark d1.Bookmark `json:"bookmark"`
			}{bookmark})
		}
		_, err = fmt.Fprintln(c.out, bookmark)
		return err
	})
}

func (c *travelCommand) restore(ctx context.Context, args []string) error {
	if (c.bookmark == "") == (c.timestamp == "") {
		return usage(nil, "give either --bookmark or --timestamp")
	}
	return c.travel(ctx, args[0], func(t d1.TimeTraveler, at time.Time, where string) (err error) {
		to := d1.Bookmark(c.bookmark)
		if to == "" {
			if to, err = t.BookmarkAt(ctx, at); err != nil {
				return err
			}
		}
		if !c.yes && c.interactive() {
			sure, err := c.confirm(ctx, fmt.Sprintf("Put the database %q in %s back to %s? What was written since is gone.", args[0], where, to))
			if err != nil || !sure {
				fmt.Fprintln(c.stderr, "Nothing was restored.")
				return err
			}
		}
		done, err := t.Restore(ctx, to)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "Restored %q. To undo it, restore to the bookmark %s.\n", args[0], done.Previous)
		if c.json || !c.out.terminal {
			return c.out.json(struct {
				Bookmark d1.Bookmark `json:"bookmark"`
				Previous d1.Bookmark `json:"previous_bookmark"`
				Message  string      `json:"message"`
			}(done))
		}
		return nil
	})
}

// parseTimestamp reads a time as wrangler does.
func parseTimestamp(text string) (at time.Time, err error) {
	if text == "" {
		return at, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if len(text) == 10 {
			return time.Unix(n, 0), nil
		}
		return time.UnixMilli(n), nil
	}
	if at, err = time.Parse(time.RFC3339, text); err != nil {
		err = usage(nil, "--timestamp is a time such as 2026-10-05T04:12:09Z, or Unix seconds or milliseconds")
	}
	return at, err
}
