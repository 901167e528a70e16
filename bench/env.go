package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Env is what the contests share: a folder for their files, the binary, and what is to be
// closed after them.
type Env struct {
	ctx     context.Context
	dir     string
	skylite string // the binary, built when it is first needed
	closers []func()
	folders int
}

func newEnv(ctx context.Context) (*Env, error) {
	dir, err := os.MkdirTemp("", "skylite-bench-")
	if err != nil {
		return nil, err
	}
	return &Env{ctx: ctx, dir: dir}, nil
}

func (e *Env) close() {
	e.mark()
	for len(e.closers) > 0 {
		e.pop()
	}
	_ = os.RemoveAll(e.dir)
}

// after has something done when the contest is over.
func (e *Env) after(f func()) { e.closers = append(e.closers, f) }

// mark returns what closes all that was opened since.
func (e *Env) mark() func() {
	n := len(e.closers)
	return func() {
		for len(e.closers) > n {
			e.pop()
		}
	}
}

func (e *Env) pop() {
	last := len(e.closers) - 1
	f := e.closers[last]
	e.closers = e.closers[:last]
	f()
}

// folder makes a folder that nobody else has.
func (e *Env) folder() (string, error) {
	e.folders++
	dir := filepath.Join(e.dir, strconv.Itoa(e.folders))
	return dir, os.Mkdir(dir, 0o700)
}

// binary builds skylite, once.
func (e *Env) binary() (string, error) {
	if e.skylite != "" {
		return e.skylite, nil
	}
	path := filepath.Join(e.dir, "skylite")
	build := exec.CommandContext(e.ctx, "go", "build", "-o", path, "./cmd/skylite")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build skylite: %w: %s", err, out)
	}
	e.skylite = path
	return path, nil
}

// installed returns the path of something that npm has put into e2e.
func installed(path string) (string, error) {
	path, err := filepath.Abs(filepath.Join("..", "e2e", path))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: run npm ci --ignore-scripts in e2e", errMissing)
	}
	return path, nil
}
