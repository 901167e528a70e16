// Package binding is a Workers KV namespace inside a Worker, by the name of its binding.
// Importing it lets kv.Open open names such as
//
//	binding:KV
//
// in a program that runs in a Worker; see package worker. Elsewhere opening one is an
// error that says so.
//
// GetWithMetadata does not tell when a key ends, since the binding does not; List does.
// Metadata passes through JavaScript: its integers beyond 2^53 are rounded.
//
// GetMany is one call of the binding, which reads texts: a value that is none is read
// again by itself, and one that begins with a byte order mark may come without it. Get
// reads bytes as they are.
//
// When a context ends, the call returns; what it asked for may still be done, and a write
// is kv.Ambiguous.
package binding
