package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/rest"
)

// pair is a key with all that belongs to it, in the form of wrangler's bulk files.
type pair struct {
	Key           *string         `json:"key"`
	Value         *string         `json:"value"`
	Base64        bool            `json:"base64,omitempty"`
	Expiration    int64           `json:"expiration,omitempty"`
	ExpirationTTL int64           `json:"expiration_ttl,omitempty"`
	Metadata      json.RawMessage `json:"metadata,omitempty"`
}

func (p pair) write() (w kv.Write, err error) {
	switch {
	case p.Key == nil:
		return w, errors.New("it has no key")
	case p.Value == nil:
		return w, fmt.Errorf("the key %.64q has no value", *p.Key)
	}
	w = kv.Write{Key: *p.Key, Value: []byte(*p.Value)}
	if p.Base64 {
		if w.Value, err = base64.StdEncoding.DecodeString(*p.Value); err != nil {
			return w, fmt.Errorf("the value of %.64q is not base64", *p.Key)
		}
	}
	if p.Metadata != nil {
		w.Metadata = p.Metadata
	}
	const most = int64(100 * 365 * 24 * time.Hour / time.Second)
	switch {
	case p.ExpirationTTL != 0:
		w.TTL = time.Duration(max(-1, min(p.ExpirationTTL, most))) * time.Second
	case p.Expiration != 0:
		w.Expiration = time.Unix(p.Expiration, 0)
	}
	return w, nil
}

type kvExportCommand struct {
	*app
	flags          namespaceFlags
	prefix, output string
}

func (a *app) kvExport() *cobra.Command {
	c := &kvExportCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "export [flags]",
		Short: "Write all keys and values, one a line",
		Long: `Write all keys with their values, metadata and expiry: a JSON object a line, in the form that
'kv import', 'kv bulk put' and, in an array, wrangler's bulk put read.`,
		Example: `  skylite kv export --binding sessions > sessions.ndjson
  skylite kv export --binding sessions --remote --output sessions.ndjson`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, nil, c.run)
	c.flags.register(a, cmd)
	cmd.Flags().StringVar(&c.prefix, "prefix", "", "what the keys begin with")
	cmd.Flags().StringVar(&c.output, "output", "", "the `file` to write (default: standard output)")
	return cmd
}

func (c *kvExportCommand) run(ctx context.Context, _ []string) error {
	return c.with(ctx, &c.flags, func(_ *place, ns *rest.Namespace) error {
		if c.output == "" || c.output == "-" {
			_, err := c.export(ctx, ns, c.out)
			return err
		}
		n := 0
		err := writeFile(c.output, func(w io.Writer) (err error) {
			n, err = c.export(ctx, ns, w)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "Wrote %d keys to %s.\n", n, c.output)
		return nil
	})
}

func (c *kvExportCommand) export(ctx context.Context, ns kv.Namespace, w io.Writer) (n int, err error) {
	for page := (kv.Page{}); !page.Complete; {
		page, err = ns.List(ctx, kv.ListOptions{Prefix: c.prefix, Limit: kv.MaxGetKeys, Cursor: page.Cursor})
		if err != nil {
			return n, err
		}
		entries, err := kv.ReadKeys(ctx, ns, page.Keys)
		if err != nil {
			return n, err
		}
		for _, key := range page.Keys {
			entry := entries[key.Name]
			if entry == nil {
				continue // gone meanwhile
			}
			line, err := marshal(pairOf(key, entry))
			if err != nil {
				return n, err
			}
			if _, err := io.WriteString(w, line+"\n"); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

func pairOf(key kv.Key, entry *kv.Entry) pair {
	value := string(entry.Value)
	p := pair{Key: &key.Name, Value: &value, Expiration: kv.Seconds(key.Expiration), Metadata: entry.Metadata}
	if p.Base64 = !utf8.Valid(entry.Value); p.Base64 {
		value = base64.StdEncoding.EncodeToString(entry.Value)
	}
	return p
}

type kvImportCommand struct {
	*app
	flags namespaceFlags
}

func (a *app) kvImport() *cobra.Command {
	c := &kvImportCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "import <filename> [flags]",
		Short: "Store what an export has written",
		Long: `Store what 'kv export' has written, from a file or, if it is "-", from standard input:
` + pairsForm + `
Keys that end within a minute, or have ended, are left out.`,
		Example: `  skylite kv import sessions.ndjson --binding sessions
  skylite kv export --binding sessions --remote | skylite kv import - --binding sessions`,
	}, []string{"filename"}, c.run)
	c.flags.register(a, cmd)
	return cmd
}

func (c *kvImportCommand) run(ctx context.Context, args []string) error {
	return c.with(ctx, &c.flags, func(p *place, ns *rest.Namespace) error { return c.load(ctx, p, ns, args[0], true) })
}

// load stores the pairs of a file, batch by batch.
func (a *app) load(ctx context.Context, p *place, ns kv.Batcher, name string, leaveOut bool) error {
	in, err := a.openInput(name)
	if err != nil {
		return err
	}
	defer in.Close()
	l := loader{ns: ns, leaveOut: leaveOut}
	_, err = aside.Wait(ctx, func() (struct{}, error) { return struct{}{}, l.load(ctx, in) })
	if err != nil && l.done > 0 {
		err = withHint(err, fmt.Sprintf("%d keys before that were stored; storing them again does no harm", l.done))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "Stored %d keys in %s.\n", l.done, p.where)
	if l.left > 0 {
		fmt.Fprintf(a.stderr, "Left out %d keys that have ended or end within a minute.\n", l.left)
	}
	return nil
}

// loader stores pairs as they are read.
type loader struct {
	ns         kv.Batcher
	leaveOut   bool
	writes     []kv.Write
	size       int
	read       int
	done, left int
}

// Batches are of so many keys and bytes: enough to be few, and little enough to lose.
const (
	batchKeys  = 5000
	batchBytes = 32 << 20
)

func (l *loader) load(ctx context.Context, r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<20)
	if mark, _ := in.Peek(3); string(mark) == "\uFEFF" {
		_, _ = in.Discard(3)
	}
	array, err := beginsArray(in)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(in)
	if array {
		if _, err := dec.Token(); err != nil {
			return l.at(err)
		}
	}
	for array && dec.More() || !array {
		var p pair
		if err := dec.Decode(&p); err == io.EOF && !array {
			break
		} else if err != nil {
			return l.at(err)
		}
		l.read++
		if err := l.add(ctx, p); err != nil {
			return err
		}
	}
	if array {
		if _, err := dec.Token(); err != nil {
			return l.at(err)
		}
	}
	return l.flush(ctx)
}

// beginsArray looks at the first character that is no space.
func beginsArray(in *bufio.Reader) (bool, error) {
	for {
		c, err := in.ReadByte()
		switch {
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			continue
		}
		return c == '[', in.UnreadByte()
	}
}

// at says where in the file an error is.
func (l *loader) at(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = errors.New("the file ends in the middle")
	}
	return fmt.Errorf("pair %d: %w", l.read+1, err)
}

func (l *loader) add(ctx context.Context, p pair) error {
	w, err := p.write()
	if err != nil {
		return fmt.Errorf("pair %d: %w", l.read, err)
	}
	if l.leaveOut && !w.Expiration.IsZero() && w.Expiration.Before(time.Now().Add(kv.MinTTL+time.Second)) {
		l.left++
		return nil
	}
	if len(l.writes) == batchKeys || len(l.writes) > 0 && l.size+len(w.Value) > batchBytes {
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	// A pair that is wrong is told by its place in the file, and not in a batch.
	if _, err := kv.CheckBatch([]kv.Write{w}, time.Now(), kv.MinTTL); err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
		return fmt.Errorf("pair %d: %s", l.read, describe(err))
	}
	l.writes = append(l.writes, w)
	l.size += len(w.Value)
	return nil
}

func (l *loader) flush(ctx context.Context) error {
	if len(l.writes) == 0 {
		return nil
	}
	if err := l.ns.Batch(ctx, l.writes); err != nil {
		return err
	}
	l.done += len(l.writes)
	l.writes, l.size = l.writes[:0], 0
	return nil
}
