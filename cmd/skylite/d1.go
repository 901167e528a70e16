package main

import (
	"context"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1/rest"
)

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (a *app) d1() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "d1",
		Short: "Make, list, query and delete D1 databases",
		Long: `Make, list, query and delete D1 databases, in the data folder or, with --remote, on
Cloudflare. 'skylite dev' may be serving the folder at the same time.

Names, arguments and flags are those of wrangler d1. A database is named by its name
or its ID. For Cloudflare, CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID must be set.`,
		Example: `  skylite d1 create app
  skylite d1 execute app --file schema.sql
  skylite d1 execute app --command "SELECT count(*) FROM users" --json
  skylite d1 shell app
  skylite d1 list --remote`,
	}, a.d1Create(), a.d1List(), a.d1Info(), a.d1Execute(), a.d1Shell(), a.d1Delete(),
		a.d1Export(), a.d1Import(), a.d1TimeTravel(), a.d1Insights(), a.d1Push(), a.d1Pull(), a.d1Diff(), a.migrations())
}

// completeDatabase offers the names of the databases for a command's first argument.
func (a *app) completeDatabase(f *placeFlags) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		p, err := a.open(f, false)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer p.Close()
		// Somebody is waiting with a finger on the key.
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		var names []cobra.Completion
		for db, err := range p.List(ctx, rest.ListOptions{}) {
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			names = append(names, db.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// jsonTime is the form of times in the API's answers; "" for one that is not known.
func jsonTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// orNull returns nil for an empty text.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
