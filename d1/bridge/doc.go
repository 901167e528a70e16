// Package bridge is a D1 database behind a bridge: a small Worker, deployed beside the
// database, that serves it over HTTPS. Importing it lets d1.Open and database/sql open
// names such as
//
//	d1+bridge://bridge.example.workers.dev/DB?token_env=BRIDGE_TOKEN
//
// where DB is the name of the Worker's binding; [ParseDSN] has the parameters. `skylite
// bridge init` writes the Worker, and `skylite dev` serves the same protocol for the
// databases on this machine, by their names.
//
// # Why a bridge
//
// Sessions: D1 has them for Workers only. A session of a bridge reads from the nearest
// replica that is fresh enough, and reads what it has written. And a bridge is not
// counted against the rate limit of Cloudflare's API.
//
// # Values
//
// Those that go out are exact: see package d1/rest, which writes integers into the SQL
// in the same way. Those that come back from a Worker are JavaScript's numbers: an
// integer beyond 2^53 has been rounded by D1, and reading it is a d1.InexactError that
// says so. `skylite dev` answers with all digits, and tells 1 from 1.0.
//
// # Failures
//
// As over REST: requests that only read are sent again when that may help; one that
// writes only if it surely never ran. Otherwise the error is d1.Ambiguous.
//
// # What a request costs
//
// One POST, however many statements it has. Its answer is held in memory; an answer of
// more than 256 MiB is an error.
package bridge
