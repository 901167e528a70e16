package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/kv/rest"
)

type kvCreateCommand struct {
	*app
	place   placeFlags
	binding string
	preview bool
}

func (a *app) kvNamespaceCreate() *cobra.Command {
	c := &kvCreateCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "create <namespace> [flags]",
		Short: "Make a namespace",
		Long:  `Make a namespace, and print the lines that a Worker's configuration needs to use it.`,
		Example: `  skylite kv namespace create sessions
  skylite kv namespace create sessions --remote`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"namespace"}, c.run)
	c.place.register(cmd)
	cmd.Flags().StringVar(&c.binding, "binding", "", "the binding's `name` in the printed configuration (default: the namespace's)")
	cmd.Flags().BoolVar(&c.preview, "preview", false, "add _preview to the title")
	return cmd
}

func (c *kvCreateCommand) run(ctx context.Context, args []string) (err error) {
	p, err := c.open(&c.place, true)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	list, err := p.namespaces()
	if err != nil {
		return err
	}
	title := previewTitle(args[0], c.preview)
	info, err := list.Create(ctx, title)
	if errors.Is(err, rest.ErrTitleTaken) {
		return fmt.Errorf("there is a namespace %q in %s already", title, p.where)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "Made the namespace %q in %s.\n", title, p.where)
	binding := c.binding
	if binding == "" {
		binding = notInNames.ReplaceAllString(args[0], "_")
	}
	element := map[string]string{"binding": binding, "id": info.ID}
	if c.preview {
		element = map[string]string{"binding": binding, "preview_id": info.ID}
	}
	return c.out.json(map[string]any{"kv_namespaces": []any{element}})
}

type kvListCommand struct {
	*app
	place placeFlags
}

func (a *app) kvNamespaceList() *cobra.Command {
	c := &kvListCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:               "list [flags]",
		Short:             "List the namespaces",
		Long:              `List the namespaces: a JSON array of objects with id, title and supports_url_encoding.`,
		Example:           `  skylite kv namespace list`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, nil, c.run)
	c.place.register(cmd)
	return cmd
}

func (c *kvListCommand) run(ctx context.Context, _ []string) (err error) {
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	list, err := p.namespaces()
	if err != nil {
		return err
	}
	all := []rest.Info{}
	for info, err := range list.All(ctx) {
		if err != nil {
			return err
		}
		all = append(all, info)
	}
	return c.out.json(all)
}

// optionally makes the only argument of a command optional.
func optionally(cmd *cobra.Command) *cobra.Command {
	needed := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return needed(cmd, args)
	}
	return cmd
}

type kvRenameCommand struct {
	*app
	flags   namespaceFlags
	newName string
}

func (a *app) kvNamespaceRename() *cobra.Command {
	c := &kvRenameCommand{app: a}
	cmd := optionally(a.action(&cobra.Command{
		Use:   "rename [old-name] --new-name <name> [flags]",
		Short: "Give a namespace another title",
		Example: `  skylite kv namespace rename sessions --new-name old-sessions
  skylite kv namespace rename --namespace-id 0f2ac74b498b48028cb68387c421e279 --new-name sessions`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"old-name"}, c.run))
	c.flags.place.register(cmd)
	cmd.Flags().StringVar(&c.flags.id, "namespace-id", "", "the namespace's `id`")
	cmd.Flags().StringVar(&c.newName, "new-name", "", "its new `title`")
	return cmd
}

func (c *kvRenameCommand) run(ctx context.Context, args []string) error {
	if c.newName == "" {
		return usage(nil, "--new-name is missing")
	}
	if len(args) > 0 {
		c.flags.binding, c.flags.titled = args[0], true
	}
	if c.flags.id == "" && c.flags.binding == "" {
		return usage(nil, "the namespace is missing: give its name or --namespace-id")
	}
	return c.found(ctx, &c.flags, func(p *place, info rest.Info) error {
		list, err := p.namespaces()
		if err != nil {
			return err
		}
		if _, err := list.Rename(ctx, info.ID, c.newName); err != nil {
			if errors.Is(err, rest.ErrTitleTaken) {
				return fmt.Errorf("there is a namespace %q in %s already", c.newName, p.where)
			}
			return err
		}
		fmt.Fprintf(c.stderr, "Renamed the namespace %q to %q.\n", info.Title, c.newName)
		return nil
	})
}

type kvDeleteCommand struct {
	*app
	flags namespaceFlags
	yes   bool
}

func (a *app) kvNamespaceDelete() *cobra.Command {
	c := &kvDeleteCommand{app: a}
	cmd := optionally(a.action(&cobra.Command{
		Use:   "delete [namespace] [flags]",
		Short: "Delete a namespace and all that is in it",
		Long: `Delete a namespace and all that is in it. Asks first; if there is nobody to ask, it
refuses without -y.`,
		Example: `  skylite kv namespace delete sessions
  skylite kv namespace delete --namespace-id 0f2ac74b498b48028cb68387c421e279 -y`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, []string{"namespace"}, c.run))
	c.flags.register(a, cmd)
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask, also --skip-confirmation")
	return cmd
}

func (c *kvDeleteCommand) run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if c.flags.binding != "" {
			return usage(nil, "the namespace is given twice, as an argument and by --binding")
		}
		c.flags.binding, c.flags.titled = args[0], true
	}
	return c.found(ctx, &c.flags, func(p *place, info rest.Info) error {
		question := fmt.Sprintf("Delete the namespace %q (%s) from %s, with all that is in it?", info.Title, info.ID, p.where)
		if sure, err := c.sure(ctx, c.yes, "deleting a namespace", question); err != nil || !sure {
			return err
		}
		list, err := p.namespaces()
		if err != nil {
			return err
		}
		if err := list.Delete(ctx, info.ID); err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "Deleted the namespace %q from %s.\n", info.Title, p.where)
		return nil
	})
}

// sure asks whether something is to be deleted, unless the command line says so.
func (a *app) sure(ctx context.Context, yes bool, what, question string) (bool, error) {
	if yes {
		return true, nil
	}
	if !a.interactive() {
		return false, withHint(errors.New(what+" needs a confirmation, and there is nobody to ask"),
			"give -y if it is to be deleted")
	}
	sure, err := a.confirm(ctx, question)
	if err != nil || !sure {
		fmt.Fprintln(a.stderr, "Nothing was deleted.")
	}
	return sure, err
}
