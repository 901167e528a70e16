package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

type deleteCommand struct {
	*app
	place placeFlags
	yes   bool
}

func (a *app) d1Delete() *cobra.Command {
	c := &deleteCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "delete <name> [flags]",
		Short: "Delete a database and all that is in it",
		Long: `Delete a database and all that is in it. Asks first; if there is nobody to ask, it
refuses without -y.`,
		Example: `  skylite d1 delete app
  skylite d1 delete app --remote -y`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"name"}, c.run)
	c.place.register(cmd)
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask, also --skip-confirmation")
	return cmd
}

func (c *deleteCommand) run(ctx context.Context, args []string) (err error) {
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.find(ctx, args[0])
	if err != nil {
		return err
	}
	if !c.yes {
		if !c.interactive() {
			return withHint(errors.New("deleting a database needs a confirmation, and there is nobody to ask"),
				"give -y if it is to be deleted")
		}
		question := fmt.Sprintf("Delete the database %q (%s) from %s, with all that is in it?", db.Name, db.UUID, p.where)
		if sure, err := c.confirm(ctx, question); err != nil || !sure {
			fmt.Fprintln(c.stderr, "Nothing was deleted.")
			return err
		}
	}
	if err := p.Delete(ctx, db.UUID); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "Deleted the database %q from %s.\n", db.Name, p.where)
	return nil
}
