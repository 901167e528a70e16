package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	return a.action(&cobra.Command{
		Use:     "version",
		Short:   "Print the version of skylite",
		Example: "  skylite version",
	}, nil, func(context.Context, []string) error {
		_, err := fmt.Fprintln(a.out, version())
		return err
	})
}

// version says what the build says of itself. A build from a working copy has no
// version but may have a revision.
func version() string {
	name, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			name = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = s.Value[:12] + ", "
			}
		}
	}
	return fmt.Sprintf("skylite %s (%s%s, %s/%s)", name, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
