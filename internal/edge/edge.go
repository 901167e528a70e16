// Package edge connects a Go program to the JavaScript that runs it inside a Worker
// (package edgejs).
package edge

import "errors"

// ErrOutside is what every use returns outside a Worker.
var ErrOutside = errors.New("this program does not run in a Worker; build it with skylite worker build")
