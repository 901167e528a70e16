// Package edgejs holds the JavaScript that runs Go inside a Worker, and that serves D1
// to Go from one.
package edgejs

import "embed"

// Files are the modules: runtime.mjs runs a Go program, d1.mjs speaks to D1.
//
//go:embed *.mjs
var Files embed.FS
