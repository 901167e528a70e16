package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/wrangler"
)

// configFlags choose a Worker's configuration.
type configFlags struct{ config, env string }

func (f *configFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.config, "config", "c", "", "the Worker's configuration `file` (default: wrangler.json, wrangler.jsonc or wrangler.toml, here or above)")
	cmd.Flags().StringVarP(&f.env, "env", "e", "", "the `environment` in the configuration (default: $CLOUDFLARE_ENV)")
	_ = cmd.MarkFlagFilename("config", "json", "jsonc", "toml") // fails only for a flag that is not there
}

// readConfig reads the configuration. It is nil if there is none and none was asked for.
func (a *app) readConfig(f *configFlags) (*wrangler.Config, error) {
	file := f.config
	if file == "" {
		var err error
		if file, err = wrangler.Find("."); err != nil {
			return nil, err
		}
	}
	env := cmp.Or(f.env, a.getenv("CLOUDFLARE_ENV"))
	switch {
	case file != "":
		return wrangler.Read(file, env)
	case f.env != "":
		return nil, usage(nil, "there is no %s, and so no environment %q", strings.Join(wrangler.Names, ", "), env)
	}
	return nil, nil
}
