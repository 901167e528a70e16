package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/kv"
	_ "github.com/skylite-go/skylite/kv/ond1" // file: and d1: names
	"github.com/skylite-go/skylite/kv/rest"
)

// kvCopyCommand makes one namespace equal to another.
type kvCopyCommand struct {
	*app
	push         bool
	data, prefix string
	force, json  bool
}

const kvCopyHelp = `
All keys are copied with their values, metadata and expiry, 100 at a time, and read back and
compared at the end; keys that end within a minute are left out. What the target has
already is not written again, so a copy that was cut short goes on when it is run again. A
key of the target that the source does not have, or has with another value, is an error
before anything is written; with --force it is deleted or replaced.

A namespace is named by its title or its ID, with "local:" before it in the data folder and
with "remote:" on Cloudflare, where that is not meant anyway; or by a data source name, such
as file:app.sqlite?namespace=sessions or kv://ACCOUNT_ID/NAMESPACE_ID. For files of keys, see
'skylite kv export' and 'skylite kv import'.`

func (a *app) kvPush() *cobra.Command {
	c := &kvCopyCommand{app: a, push: true}
	cmd := a.action(&cobra.Command{
		Use:     "push <local> <remote> [flags]",
		Short:   "Copy a local namespace to one on Cloudflare",
		Long:    "Copy a local namespace to one on Cloudflare, which must be there.\n" + kvCopyHelp,
		Example: `  skylite kv push sessions sessions`,
	}, []string{"local", "remote"}, c.run)
	c.register(cmd)
	return cmd
}

func (a *app) kvPull() *cobra.Command {
	c := &kvCopyCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:     "pull <remote> <local> [flags]",
		Short:   "Copy a namespace on Cloudflare to a local one",
		Long:    "Copy a namespace on Cloudflare to a local one, which is made if it is not there.\n" + kvCopyHelp,
		Example: `  skylite kv pull sessions sessions --prefix user:`,
	}, []string{"remote", "local"}, c.run)
	c.register(cmd)
	return cmd
}

func (c *kvCopyCommand) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.data, "data", "", dataUsage)
	flags.StringVar(&c.prefix, "prefix", "", "what the keys begin with; others are left alone")
	flags.BoolVarP(&c.force, "force", "f", false, "replace and delete what differs in the target")
	flags.BoolVar(&c.json, "json", false, "print what was done as JSON")
	_ = cmd.MarkFlagDirname("data") // fails only for a flag that is not there
}

// kvSide is one of the namespaces.
type kvSide struct {
	kv.Namespace
	name  string
	place *place // nil for a data source name
}

func (s *kvSide) Close() error {
	err := s.Namespace.Close()
	if s.place != nil {
		err = errors.Join(err, s.place.Close())
	}
	return err
}

// settles reports whether writes may be seen late.
func (s *kvSide) settles() bool { return s.place == nil || s.place.remote }

func (c *kvCopyCommand) openSide(ctx context.Context, name string, remote, makes bool) (*kvSide, error) {
	if rest, ok := strings.CutPrefix(name, "remote:"); ok {
		name, remote = rest, true
	} else if rest, ok := strings.CutPrefix(name, "local:"); ok {
		name, remote = rest, false
	}
	if scheme, _, ok := strings.Cut(name, ":"); ok && (scheme == "file" || scheme == "d1" || scheme == "kv") {
		ns, err := kv.Open(name)
		if err != nil {
			return nil, err
		}
		shown, _, _ := strings.Cut(name, "?") // behind it there may be a token
		return &kvSide{Namespace: ns, name: shown}, nil
	}
	p, err := c.placeOf(remote, makes)
	if err != nil {
		return nil, err
	}
	info, err := findNamespace(ctx, p, name, makes && !remote)
	if err == nil {
		var ns *rest.Namespace
		if ns, err = rest.Open(rest.Config{Client: p.client, AccountID: p.account, NamespaceID: info.ID}); err == nil {
			return &kvSide{ns, fmt.Sprintf("%q in %s", name, p.where), p}, nil
		}
	}
	return nil, errors.Join(err, p.Close())
}

func (c *kvCopyCommand) placeOf(remote, makes bool) (*place, error) {
	if remote { // the data folder is for the other side
		return openRemote()
	}
	return c.open(&placeFlags{data: c.data}, makes)
}

// findNamespace finds a namespace by its title or its ID, and makes it if it may.
func findNamespace(ctx context.Context, p *place, name string, makes bool) (rest.Info, error) {
	list, err := p.namespaces()
	if err != nil {
		return rest.Info{}, err
	}
	info, err := list.ByTitle(ctx, name)
	if !errors.Is(err, kv.ErrNotFound) {
		return info, err
	}
	if found, err := list.Get(ctx, name); err == nil {
		return found, nil
	}
	if makes {
		return list.Create(ctx, name)
	}
	return info, p.noNamespace(name)
}

func (c *kvCopyCommand) run(ctx context.Context, args []string) (err error) {
	from, err := c.openSide(ctx, args[0], !c.push, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := c.openSide(ctx, args[1], c.push, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	p := c.progress("Copying")
	defer p.end()
	m := &mirror{from: from, to: to, prefix: c.prefix, rows: p.rows}
	if !c.force {
		if err := c.check(ctx, m, to); err != nil {
			return err
		}
	}
	m.write = true
	if err := m.walk(ctx); err != nil {
		return withHint(err, "run the same command again: it goes on from there")
	}
	done := m.found
	m.write = false
	if err := c.verify(ctx, m, to); err != nil {
		return err
	}
	p.end()
	fmt.Fprintf(c.stderr, "Copied %s to %s: %d keys, of which %d were written; %d deleted. All of them were read back.\n",
		from.name, to.name, done.same+done.wanting+done.different, done.wanting+done.different, done.extra)
	if !c.json {
		return nil
	}
	return c.out.json(map[string]int{"keys": done.same + done.wanting + done.different, "written": done.wanting + done.different,
		"deleted": done.extra, "left_out": done.ending})
}

// check refuses a target with something in it that would be lost.
func (c *kvCopyCommand) check(ctx context.Context, m *mirror, to *kvSide) error {
	page, err := to.List(ctx, kv.ListOptions{Prefix: c.prefix, Limit: 1})
	if err != nil || len(page.Keys) == 0 && page.Complete {
		return err
	}
	if err := m.walk(ctx); err != nil {
		return err
	}
	if lost := m.found.different + m.found.extra; lost > 0 {
		return withHint(fmt.Errorf("the namespace %s is not empty: %d keys are not in the source or have other values, such as %.80q; nothing was written",
			to.name, lost, m.found.lost), "--force replaces and deletes them")
	}
	return nil
}

// How long a namespace on Cloudflare may take until it shows what was written.
const (
	settleTime = 70 * time.Second
	settleStep = 5 * time.Second
)

// verify reads both sides once more.
func (c *kvCopyCommand) verify(ctx context.Context, m *mirror, to *kvSide) error {
	for until := time.Now().Add(settleTime); ; {
		if err := m.walk(ctx); err != nil {
			return err
		}
		f := m.found
		if f.wanting+f.different+f.extra == 0 {
			return nil
		}
		if !to.settles() || time.Now().After(until) {
			return withHint(fmt.Errorf("the namespace %s is not equal to its source after the copy: %d keys differ, such as %.80q",
				to.name, f.wanting+f.different+f.extra, f.example), "if it is being written to, stop that; then run the same command again")
		}
		select {
		case <-time.After(settleStep):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
