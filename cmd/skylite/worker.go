package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func (a *app) worker() *cobra.Command {
	return a.group(&cobra.Command{
		Use:   "worker",
		Short: "Cloudflare Workers written in Go",
		Long:  "Cloudflare Workers written in Go, with D1.",
		Example: `  skylite worker init hello
  skylite worker build`,
	}, a.workerInit(), a.workerBuild())
}

func (a *app) workerInit() *cobra.Command {
	return a.action(&cobra.Command{
		Use:   "init <folder>",
		Short: "Write a new project",
		Long: `Write a new project: a Go program that serves an HTTP API on D1, and wrangler's
configuration. A go.mod is written unless the folder has one. No file is replaced.`,
		Example: "  skylite worker init hello",
	}, []string{"folder"}, func(_ context.Context, args []string) error {
		dir := args[0]
		name, err := projectName(dir, "worker")
		if err != nil {
			return err
		}
		files, err := projectFiles("worker", name)
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			delete(files, "go.mod")
		}
		if err := files.write(dir); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "Wrote a Worker to %s. In that folder, next:\n\n"+
			"  go mod tidy\n"+
			"  npx wrangler d1 execute DB --local --file schema.sql\n"+
			"  npx wrangler dev\n", dir)
		return nil
	})
}

func (a *app) bridge() *cobra.Command {
	return a.group(&cobra.Command{
		Use:     "bridge",
		Short:   "A Worker through which programs elsewhere use D1",
		Long:    "A Worker through which programs elsewhere use D1, with its sessions.",
		Example: "  skylite bridge init my-bridge",
	}, a.action(&cobra.Command{
		Use:   "init <folder>",
		Short: "Write the Worker",
		Long: `Write the Worker, which is JavaScript, and wrangler's configuration. No file is replaced.
Programs open its databases as d1+bridge://HOST/DB?token_env=BRIDGE_TOKEN.`,
		Example: "  skylite bridge init my-bridge",
	}, []string{"folder"}, func(_ context.Context, args []string) error {
		dir := args[0]
		name, err := projectName(dir, "bridge")
		if err != nil {
			return err
		}
		files, err := projectFiles("bridge", name)
		if err != nil {
			return err
		}
		if err := addModules(files, "bridge.mjs", "d1.mjs"); err != nil {
			return err
		}
		if err := files.write(dir); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "Wrote a bridge to %s. In that folder, next: name your database in wrangler.jsonc, and\n\n"+
			"  npx wrangler deploy\n"+
			"  npx wrangler secret put BRIDGE_TOKEN\n", dir)
		return nil
	}))
}
