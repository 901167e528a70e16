package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/rest"
)

type kvBulkCommand struct {
	*app
	flags namespaceFlags
	yes   bool
}

const pairsForm = `an array of objects with key, value and, if wanted, base64, expiration,
expiration_ttl and metadata; or the same objects one a line.`

func (a *app) kvBulkPut() *cobra.Command {
	c := &kvBulkCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "put <filename> [flags]",
		Short: "Store many values",
		Long: `Store the values that a JSON file holds, or standard input if it is "-":
` + pairsForm,
		Example: `  skylite kv bulk put pairs.json --binding sessions`,
	}, []string{"filename"}, c.put)
	c.flags.register(a, cmd)
	return cmd
}

func (c *kvBulkCommand) put(ctx context.Context, args []string) error {
	return c.with(ctx, &c.flags, func(p *place, ns *rest.Namespace) error {
		return c.load(ctx, p, ns, args[0], false)
	})
}

func (a *app) kvBulkGet() *cobra.Command {
	c := &kvBulkCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "get <filename> [flags]",
		Short: "Print many values",
		Long: `Print the values of the keys that a JSON file lists, or standard input if it is "-": an object
of keys and values, null for a key that does not exist. The file is an array of strings,
or of objects with a name. A value that is no UTF-8 is an object with value, in base64,
and "base64": true.`,
		Example: `  skylite kv bulk get keys.json --binding sessions`,
	}, []string{"filename"}, c.get)
	c.flags.register(a, cmd)
	return cmd
}

func (c *kvBulkCommand) get(ctx context.Context, args []string) error {
	return c.with(ctx, &c.flags, func(_ *place, ns *rest.Namespace) error {
		names, err := c.names(ctx, args[0])
		if err != nil {
			return err
		}
		all := make(map[string]any, len(names))
		for some := range slices.Chunk(names, kv.MaxGetKeys) {
			values, err := ns.GetMany(ctx, some)
			if err != nil {
				return err
			}
			for key, value := range values {
				all[key] = printable(value)
			}
		}
		return c.out.json(all)
	})
}

// names reads the keys that a file lists.
func (c *kvBulkCommand) names(ctx context.Context, file string) ([]string, error) {
	data, err := c.readInput(ctx, file)
	if err != nil {
		return nil, err
	}
	return readNames(data)
}

// printable is a value as JSON: null, a string, or base64.
func printable(value []byte) any {
	switch {
	case value == nil:
		return nil
	case utf8.Valid(value):
		return string(value)
	}
	return map[string]any{"value": base64.StdEncoding.EncodeToString(value), "base64": true}
}

func (a *app) kvBulkDelete() *cobra.Command {
	c := &kvBulkCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "delete <filename> [flags]",
		Short: "Delete many keys",
		Long: `Delete the keys that a JSON file lists, or standard input if it is "-": an array of strings, or
of objects with a name. Asks first; if there is nobody to ask, it refuses without -f.`,
		Example: `  skylite kv bulk delete keys.json --binding sessions -f`,
	}, []string{"filename"}, c.delete)
	c.flags.register(a, cmd)
	cmd.Flags().BoolVarP(&c.yes, "force", "f", false, "do not ask")
	return cmd
}

func (c *kvBulkCommand) delete(ctx context.Context, args []string) error {
	return c.with(ctx, &c.flags, func(p *place, ns *rest.Namespace) error {
		names, err := c.names(ctx, args[0])
		if err != nil {
			return err
		}
		question := fmt.Sprintf("Delete %d keys from the namespace in %s?", len(names), p.where)
		sure, err := c.sure(ctx, c.yes, "deleting keys", question)
		if err != nil || !sure {
			return err
		}
		for some := range slices.Chunk(names, kv.MaxBatch) {
			writes := make([]kv.Write, len(some))
			for i, name := range some {
				writes[i] = kv.Write{Key: name, Delete: true}
			}
			if err := ns.Batch(ctx, writes); err != nil {
				return err
			}
		}
		fmt.Fprintf(c.stderr, "Deleted %d keys.\n", len(names))
		return nil
	})
}
