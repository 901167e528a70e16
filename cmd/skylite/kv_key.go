package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/aside"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/rest"
)

type kvPutCommand struct {
	*app
	flags           namespaceFlags
	cmd             *cobra.Command
	path, metadata  string
	ttl, expiration int64
}

func (a *app) kvKeyPut() *cobra.Command {
	c := &kvPutCommand{app: a}
	c.cmd = a.action(&cobra.Command{
		Use:   "put <key> [value] [flags]",
		Short: "Store a value",
		Long: `Store a value: the second argument, what --path names, or standard input if either is "-".
It replaces the value, the metadata and the expiry that the key had.`,
		Example: `  skylite kv key put user:7 Ada --binding sessions --ttl 3600 --metadata '{"role":"admin"}'
  skylite kv key put logo --path logo.png --binding assets
  curl -s https://example.com | skylite kv key put page - --binding cache`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"key", "value"}, c.run)
	exact := c.cmd.Args
	c.cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return exact(cmd, args)
	}
	c.flags.register(a, c.cmd)
	flags := c.cmd.Flags()
	flags.StringVar(&c.path, "path", "", "the `file` that holds the value")
	flags.Int64Var(&c.ttl, "ttl", 0, "how many `seconds` the key lives, 60 at least")
	flags.Int64Var(&c.expiration, "expiration", 0, "when the key ends, in `seconds` since 1970")
	flags.StringVar(&c.metadata, "metadata", "", "`JSON` to store beside the value, up to 1,024 bytes")
	return c.cmd
}

func (c *kvPutCommand) run(ctx context.Context, args []string) error {
	opts, err := c.options()
	if err != nil {
		return err
	}
	if (len(args) == 2) == (c.path != "") {
		return usage(nil, "give either a value or --path")
	}
	return c.with(ctx, &c.flags, func(_ *place, ns *rest.Namespace) error {
		if len(args) == 2 && args[1] != "-" {
			return ns.Put(ctx, args[0], []byte(args[1]), opts)
		}
		name := c.path
		if name == "" {
			name = "-"
		}
		in, err := c.openInput(name)
		if err != nil {
			return err
		}
		defer in.Close()
		_, err = aside.Wait(ctx, func() (struct{}, error) { return struct{}{}, kv.PutReader(ctx, ns, args[0], in, opts) })
		return err
	})
}

func (c *kvPutCommand) options() (opts kv.PutOptions, err error) {
	changed := c.cmd.Flags().Changed
	switch {
	case changed("ttl") && changed("expiration"):
		return opts, usage(nil, "--ttl and --expiration cannot be used together")
	case changed("ttl"):
		if c.ttl <= 0 || c.ttl > int64(100*365*24*time.Hour/time.Second) {
			return opts, fmt.Errorf("--ttl is %d; it must be a number of seconds from 60 to a hundred years", c.ttl)
		}
		opts.TTL = time.Duration(c.ttl) * time.Second
	case changed("expiration"):
		opts.Expiration = time.Unix(c.expiration, 0)
	}
	if changed("metadata") {
		if !json.Valid([]byte(c.metadata)) {
			return opts, fmt.Errorf("--metadata is not JSON: %.100s", c.metadata)
		}
		opts.Metadata = json.RawMessage(c.metadata)
	}
	return opts, nil
}

type kvGetCommand struct {
	*app
	flags namespaceFlags
	text  bool
}

func (a *app) kvKeyGet() *cobra.Command {
	c := &kvGetCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "get <key> [flags]",
		Short: "Print a value",
		Long:  `Print a value, byte for byte. A key that does not exist is an error, and the exit code 1.`,
		Example: `  skylite kv key get user:7 --binding sessions
  skylite kv key get logo --binding assets > logo.png`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"key"}, c.run)
	c.flags.register(a, cmd)
	cmd.Flags().BoolVar(&c.text, "text", false, "print text: what is no UTF-8 is replaced")
	return cmd
}

func (c *kvGetCommand) run(ctx context.Context, args []string) error {
	return c.with(ctx, &c.flags, func(_ *place, ns *rest.Namespace) error {
		value, err := ns.Get(ctx, args[0])
		if errors.Is(err, kv.ErrNotFound) {
			return fmt.Errorf("there is no key %q in the namespace", args[0])
		}
		if err != nil {
			return err
		}
		if c.text {
			value = []byte(strings.ToValidUTF8(string(value), "\uFFFD"))
		}
		_, err = c.out.Write(value)
		return err
	})
}

type kvKeysCommand struct {
	*app
	flags          namespaceFlags
	prefix, cursor string
	limit          int
	all            bool
}

func (a *app) kvKeyList() *cobra.Command {
	c := &kvKeysCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "list [flags]",
		Short: "List keys",
		Long: `List keys: a JSON array of objects with name, expiration and metadata. All keys are listed,
unless --limit or --cursor asks for one page; the cursor of the next is then said on
standard error.`,
		Example: `  skylite kv key list --binding sessions --prefix user:
  skylite kv key list --binding sessions --limit 100`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, nil, c.run)
	c.flags.register(a, cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.prefix, "prefix", "", "what the keys begin with")
	flags.IntVar(&c.limit, "limit", 0, "how many keys to list, 1 to 1,000")
	flags.StringVar(&c.cursor, "cursor", "", "where the page before ended")
	flags.BoolVar(&c.all, "all", false, "list all keys, in pages of --limit and from --cursor on")
	return cmd
}

// listedKey is a key in a list, as the API writes it.
type listedKey struct {
	Name       string          `json:"name"`
	Expiration int64           `json:"expiration,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

func (c *kvKeysCommand) run(ctx context.Context, _ []string) error {
	opts := kv.ListOptions{Prefix: c.prefix, Limit: c.limit, Cursor: c.cursor}
	return c.with(ctx, &c.flags, func(_ *place, ns *rest.Namespace) error {
		if c.all || c.limit == 0 && c.cursor == "" {
			return c.printAll(ctx, ns, opts)
		}
		page, err := ns.List(ctx, opts)
		if err != nil {
			return err
		}
		keys := make([]listedKey, len(page.Keys))
		for i, key := range page.Keys {
			keys[i] = listedKey{key.Name, kv.Seconds(key.Expiration), key.Metadata}
		}
		if !page.Complete {
			fmt.Fprintf(c.stderr, "The next page: --cursor %s\n", quoteShell(page.Cursor))
		}
		return c.out.json(keys)
	})
}

// printAll prints keys as they come: there may be many.
func (c *kvKeysCommand) printAll(ctx context.Context, ns kv.Namespace, opts kv.ListOptions) error {
	separator := "["
	for key, err := range kv.All(ctx, ns, opts) {
		if err != nil {
			return err
		}
		data, err := marshal(listedKey{key.Name, kv.Seconds(key.Expiration), key.Metadata})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(c.out, "%s\n  %s", separator, data); err != nil {
			return err
		}
		separator = ","
	}
	if separator == "[" {
		_, err := fmt.Fprintln(c.out, "[]")
		return err
	}
	_, err := fmt.Fprintln(c.out, "\n]")
	return err
}

// marshal writes JSON on one line, without escapes for HTML.
func marshal(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

type kvKeyDeleteCommand struct {
	*app
	flags namespaceFlags
}

func (a *app) kvKeyDelete() *cobra.Command {
	c := &kvKeyDeleteCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:               "delete <key> [flags]",
		Short:             "Delete a key",
		Long:              `Delete a key. That it does not exist is no error.`,
		Example:           `  skylite kv key delete user:7 --binding sessions`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"key"}, c.run)
	c.flags.register(a, cmd)
	return cmd
}

func (c *kvKeyDeleteCommand) run(ctx context.Context, args []string) error {
	return c.with(ctx, &c.flags, func(_ *place, ns *rest.Namespace) error { return ns.Delete(ctx, args[0]) })
}
