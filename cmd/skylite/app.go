package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// app is what every command has: where it reads and writes.
type app struct {
	stdin  io.Reader
	out    *output
	stderr io.Writer
	getenv func(string) string
	// started says that the command line was understood: errors from then on are
	// failures, and errors before are mistakes in the command line.
	started bool
}

// Run runs a command line, given without the program's name, and returns the exit
// code. The context ends the command. The environment is asked for everything but the
// credentials of Cloudflare, which package cloudflare looks up itself.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	a := &app{stdin: stdin, out: newOutput(stdout, getenv), stderr: stderr, getenv: getenv}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(a.out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		a.started = true // with what only prints help too
		err = a.out.Flush()
	}
	return a.report(ctx, cmd, err)
}

func (a *app) root() *cobra.Command {
	root := a.group(&cobra.Command{
		Use:   "skylite",
		Short: "Cloudflare D1 and Workers KV on your own machine",
		Long: `Cloudflare D1 and Workers KV on your own machine: a server that speaks Cloudflare's API,
and wrangler's d1 and kv commands on local data or on Cloudflare.

Data go to standard output: tables on a terminal, JSON elsewhere. The exit code is
0 if all went well, 1 if something failed, 2 if the command line was wrong.`,
		Example: `  skylite dev
  skylite d1 create app
  skylite d1 execute app --command "SELECT 1"
  skylite kv namespace create sessions`,
		Version: version(),
	}, a.dev(), a.d1(), a.kv(), a.memory(), a.worker(), a.bridge(), a.version())
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, "%v", err) })
	root.SetGlobalNormalizationFunc(wranglersNames)
	return root
}

// wranglersNames lets flags go by wrangler's other names too.
func wranglersNames(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "persist-to":
		name = "data"
	case "skip-confirmation":
		name = "yes"
	}
	return pflag.NormalizedName(name)
}

// group makes a command that only has others below it: alone it prints its help.
func (a *app) group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		err := usage(cmd, "unknown command %q", cmd.CommandPath()+" "+args[0])
		if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
			err.hint = "did you mean '" + cmd.CommandPath() + " " + similar[0] + "'?"
		}
		return err
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(commands...)
	return cmd
}

// action makes a command do something. Its arguments are named in its Use line.
func (a *app) action(cmd *cobra.Command, names []string, run func(ctx context.Context, args []string) error) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage(cmd, "the argument <%s> is missing", names[len(args)])
		case len(args) > len(names):
			return usage(cmd, "there is an argument too many: %q", args[len(names)])
		}
		return nil
	}
	cmd.DisableFlagsInUseLine = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.started = true
		err := run(cmd.Context(), args)
		if e, ok := err.(*usageError); ok && e.cmd == nil {
			e.cmd = cmd
		}
		return err
	}
	return cmd
}
