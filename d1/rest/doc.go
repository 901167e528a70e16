// Package rest is a D1 database over Cloudflare's REST API. Importing it lets
// d1.Open and database/sql open names such as
//
//	d1://ACCOUNT_ID/DATABASE?token_env=D1_TOKEN
//
// where DATABASE is an id or a name; [ParseDSN] has the parameters. [Open] does
// the same from a [Config], and [Databases] lists, makes and deletes databases.
//
// # What a request costs
//
// A request is one POST to /raw, however many statements it has, or less: reads
// that arrive while another is under way leave together, and writes of one
// statement if [Config].Group says so; see [Grouping]. Rows are decoded as they
// arrive; an answer is held in memory as a whole only if it is shared, or that of
// a request that writes, which is read to its end before Do returns, so that an
// error in it is not missed.
//
// # Values
//
// D1 binds every JSON number as a REAL. So that an int64 is an INTEGER with all
// its bits, it is written into the SQL text in its parameter's place, as an
// expression such as ~-6 for 5: unlike a bare 5 it is no column's number in
// ORDER BY, and unlike CAST it has no affinity. Column names and the offsets in
// errors are mapped back. What remains of the difference: a syntax error right at
// a parameter names another token, the text grows, and an expression gets up to
// two levels deeper, of the 100 that D1 allows. A float64 travels as a number, a
// []byte as an array of numbers.
//
// Integers come back as JavaScript numbers. One beyond 2^53 has been rounded by
// the service: see d1.RoundedInteger.
//
// # Failures
//
// Requests that only read are sent again when that may help; one that writes
// only if it surely never ran. Otherwise the error is d1.Ambiguous. Errors are a
// *d1.Error that wraps a [cloudflare.APIError] or a [cloudflare.CallError].
//
// # Sessions
//
// The REST API has none: every request is served as D1 likes, which is by the
// primary. Constraints are accepted; a bookmark is refused, since the API cannot
// honour it.
package rest
