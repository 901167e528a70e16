package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
)

func (a *app) d1TimeTravel() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "time-travel",
		Short: "Name the states that a database was in, and go back to them",
		Long: `Name the states that a database was in, and go back to them. They are kept for 30 days; on
Cloudflare's free plan for 7, and elsewhere as long as the server says.`,
	}, a.d1TimeTravelInfo(), a.d1TimeTravelRestore())
}

type travelCommand struct {
	*app
	place               placeFlags
	timestamp, bookmark string
	json, yes           bool
}

const timestampUsage = "a `time`: RFC 3339, or Unix seconds or milliseconds"

func (a *app) d1TimeTravelInfo() *cobra.Command {
	c := &travelCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "info <database> [flags]",
		Short: "Tell the bookmark of a database now, or at a time",
		Example: `  skylite d1 time-travel info app
  skylite d1 time-travel info app --remote --timestamp 2026-07-13T08:46:42Z --json`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.info)
	c.place.register(cmd)
	cmd.Flags().StringVar(&c.timestamp, "timestamp", "", timestampUsage)
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

func (a *app) d1TimeTravelRestore() *cobra.Command {
	c := &travelCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "restore <database> [flags]",
		Short: "Put a database back into the state of a bookmark, or of a time",
		Long: `Put a database back, as a whole, into the state of a bookmark, or of a time. What was written
since is undone, and can be had back: the command that undoes the restore is printed. On a
terminal it asks first.`,
		Example: `  skylite d1 time-travel restore app --bookmark 00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683
  skylite d1 time-travel restore app --remote --timestamp 2026-07-13T08:46:42Z`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"database"}, c.restore)
	c.place.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.bookmark, "bookmark", "", "the `bookmark` of the state")
	flags.StringVar(&c.timestamp, "timestamp", "", timestampUsage)
	flags.BoolVar(&c.json, "json", false, "print JSON on a terminal too, and do not ask")
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	return cmd
}

// parseTimestamp reads a time in wrangler's forms.
func parseTimestamp(text string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 {
			return at, usage(nil, "--timestamp is a time such as 2026-07-13T08:46:42Z, or Unix seconds or milliseconds, and not %q", text)
		}
		if at = time.Unix(n, 0); n > 1e11 {
			at = time.UnixMilli(n)
		}
	}
	if at.After(now) {
		return at, usage(nil, "--timestamp is %q, which is yet to come", text)
	}
	return at, nil
}

// travel opens a database, and does something with its states.
func (c *travelCommand) travel(ctx context.Context, name string, do func(p *place, t d1.TimeTraveler) error) (err error) {
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
	traveler, ok := db.Backend().(d1.TimeTraveler)
	if !ok {
		return errors.ErrUnsupported
	}
	return do(p, traveler)
}

// at returns the time that the command line names, or the zero time.
func (c *travelCommand) at() (time.Time, error) {
	if c.timestamp == "" {
		return time.Time{}, nil
	}
	return parseTimestamp(c.timestamp, time.Now())
}

func (c *travelCommand) info(ctx context.Context, args []string) error {
	at, err := c.at()
	if err != nil {
		return err
	}
	return c.travel(ctx, args[0], func(p *place, t d1.TimeTraveler) error {
		bookmark, err := t.BookmarkAt(ctx, at)
		if err != nil {
			return err
		}
		if c.json || !c.out.terminal {
			return c.out.json(map[string]d1.Bookmark{"bookmark": bookmark})
		}
		when := "now"
		if !at.IsZero() {
			when = "at " + jsonTime(at)
		}
		fmt.Fprintf(c.out, "The bookmark %s is %s. The database comes back to that state with:\n  %s\n", when, bookmark,
			restoreCommand(args[0], bookmark, p.remote))
		return nil
	})
}

// restoreCommand is the command that restores a bookmark.
func restoreCommand(name string, b d1.Bookmark, remote bool) string {
	command := "skylite d1 time-travel restore " + quoteShell(name) + " --bookmark=" + string(b)
	if remote {
		command += " --remote"
	}
	return command
}

func (c *travelCommand) restore(ctx context.Context, args []string) error {
	if (c.bookmark == "") == (c.timestamp == "") {
		return usage(nil, "give either --bookmark or --timestamp")
	}
	at, err := c.at()
	if err != nil {
		return err
	}
	return c.travel(ctx, args[0], func(p *place, t d1.TimeTraveler) error {
		to := d1.Bookmark(c.bookmark)
		if to == "" {
			if to, err = t.BookmarkAt(ctx, at); err != nil {
				return err
			}
		}
		if !c.yes && !c.json && c.interactive() {
			question := fmt.Sprintf("Put the database %q in %s back into the state of %s? Everything written since is undone, and running queries end.",
				args[0], p.where, to)
			if sure, err := c.confirm(ctx, question); err != nil || !sure {
				fmt.Fprintln(c.stderr, "Nothing was restored.")
				return err
			}
		}
		done, err := t.Restore(ctx, to)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "Restored %q. To undo it, restore to the bookmark %s:\n  %s\n", args[0], done.Previous, restoreCommand(args[0], done.Previous, p.remote))
		if c.out.terminal && !c.json {
			return nil
		}
		return c.out.json(struct {
			Bookmark d1.Bookmark `json:"bookmark"`
			Previous d1.Bookmark `json:"previous_bookmark"`
			Message  string      `json:"message"`
		}{done.Bookmark, done.Previous, done.Message})
	})
}
