// Package binding is a D1 database inside a Worker, by the name of its binding.
// Importing it lets d1.Open and database/sql open names such as
//
//	binding:DB
//
// in a program that runs in a Worker; see package worker. Elsewhere opening one is an
// error that says so.
//
// # What a request costs
//
// A request is one call of the binding, however many statements it has; its answer is
// held in memory, as the runtime itself does.
//
// # Values
//
// As over REST: an int64 is written into the SQL text so that it stays one (see package
// d1/rest), and what comes back are JavaScript's numbers: an integer beyond 2^53 has
// been rounded by D1, and reading it is a d1.InexactError that says so.
//
// # Sessions
//
// A session is D1's own: its first request goes where its constraint says, each later
// one to an instance that is at least as fresh as what the session has seen.
//
// # Contexts
//
// D1 cannot be told to stop. When a context ends, Do returns; the statements run on, and
// a request that writes is d1.Ambiguous.
package binding
