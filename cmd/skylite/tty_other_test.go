//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// runOnTerminal is there on Linux only.
func runOnTerminal(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("the command tty is for scripts that begin with: [!linux] skip")
}
