// Skylite is a Cloudflare on your own machine: a server of the API v4 for D1 over a
// folder of SQLite files, and wrangler's d1 commands on that folder or on Cloudflare.
//
//	skylite dev                                         serve the folder .skylite
//	skylite d1 create app                               make a database in it
//	skylite d1 execute app --command "SELECT 1"         run SQL in it
//	skylite d1 execute app --remote --file schema.sql   run SQL on Cloudflare
//
// Data go to standard output, words to standard error. On a terminal data are tables,
// elsewhere and with --json they are JSON. The exit code is 0 if all went well, 1 if
// something failed and 2 if the command line was wrong.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(mainCode()) }

func mainCode() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal ends the command in good order. From then on signals do what
	// they do by default, so a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
}
