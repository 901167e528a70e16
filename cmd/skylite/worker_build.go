package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/internal/edgejs"
)

// What a Worker may have, compressed: developers.cloudflare.com/workers/platform/limits.
const (
	freePlanBytes = 3 << 20
	paidPlanBytes = 10 << 20
)

// workerEntry is where the runtime begins.
const workerEntry = `// Written by skylite worker build.
import "./wasm_exec.js";
import module from "./app.wasm";
import { serve } from "./runtime.mjs";

export default serve(module);
`

type buildCommand struct {
	*app
	out, pkg string
}

func (a *app) workerBuild() *cobra.Command {
	c := &buildCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "build [flags]",
		Short: "Compile the program into the folder that wrangler deploys",
		Long: `Compile the program in the current folder for a Worker, and write what runs it beside
it. wrangler's configuration names worker.mjs in that folder as main. The compressed
size, which Cloudflare limits, is printed.`,
		Example: `  skylite worker build
  skylite worker build --package ./cmd/api`,
	}, nil, c.run)
	flags := cmd.Flags()
	flags.StringVar(&c.out, "out", "build", "the `folder` to write to")
	flags.StringVar(&c.pkg, "package", ".", "the Go `package` to compile")
	return cmd
}

func (c *buildCommand) run(ctx context.Context, _ []string) error {
	if err := os.MkdirAll(c.out, 0o777); err != nil {
		return err
	}
	wasm := filepath.Join(c.out, "app.wasm")
	if err := c.compile(ctx, wasm); err != nil {
		return err
	}
	files := newFiles{"worker.mjs": []byte(workerEntry)}
	if err := addModules(files, "runtime.mjs", "d1.mjs", "kv.mjs"); err != nil {
		return err
	}
	var err error
	if files["wasm_exec.js"], err = wasmExec(ctx); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(c.out, name), data, 0o666); err != nil {
			return err
		}
	}
	if files["app.wasm"], err = os.ReadFile(wasm); err != nil {
		return err
	}
	return c.reportSize(files)
}

func (c *buildCommand) compile(ctx context.Context, wasm string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", wasm, c.pkg)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stdout, cmd.Stderr = c.stderr, c.stderr
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return withHint(errors.New("the go command is missing"), "install Go from https://go.dev/dl")
	case err != nil:
		return fmt.Errorf("compiling %s for a Worker failed: %w", c.pkg, err)
	}
	return nil
}

// wasmExec returns the JavaScript that belongs to the Go that compiles.
func wasmExec(ctx context.Context) ([]byte, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("looking for Go: %w", err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
}

// addModules adds modules of package edgejs.
func addModules(files newFiles, names ...string) error {
	for _, name := range names {
		data, err := edgejs.Files.ReadFile(name)
		if err != nil {
			return err
		}
		files[name] = data
	}
	return nil
}

// reportSize says how large the Worker is when it is compressed, as Cloudflare counts.
func (c *buildCommand) reportSize(files newFiles) error {
	size := 0
	for _, data := range files {
		n, err := compressed(data)
		if err != nil {
			return err
		}
		size += n
	}
	fmt.Fprintf(c.stderr, "Wrote a Worker to %s: %.2f MiB, %.2f MiB compressed; a free plan takes %d MiB, a paid one %d MiB.\n",
		c.out, mebibytes(len(files["app.wasm"])), mebibytes(size), freePlanBytes>>20, paidPlanBytes>>20)
	switch {
	case size > paidPlanBytes:
		return withHint(fmt.Errorf("the Worker is larger than Cloudflare takes"), "import less: 'go version -m' and 'go list -deps' tell what is in it")
	case size > freePlanBytes:
		fmt.Fprintln(c.stderr, "It is larger than a free plan takes.")
	}
	return nil
}

func mebibytes(n int) float64 { return float64(n) / (1 << 20) }

func compressed(data []byte) (int, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	_, err = w.Write(data)
	return b.Len(), errors.Join(err, w.Close())
}
