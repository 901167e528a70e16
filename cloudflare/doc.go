// Package cloudflare is a client of Cloudflare's API v4: authentication, the
// envelope around every answer, errors, and when a call may be sent again. It
// knows nothing of D1 or KV; packages d1/rest and kv/rest stand on it, and share
// one [Client] where they use one token.
//
//	client, err := cloudflare.New(cloudflare.FromEnv())
//	var databases []struct{ UUID, Name string }
//	info, err := client.Request(ctx, cloudflare.Call{Path: "/accounts/" + account + "/d1/database"}, &databases)
//
// # Sending again
//
// A call that only reads is sent again after a 429, a 5xx or a broken
// connection, up to [Config.MaxRetries] times, with growing random pauses or the
// pause that Retry-After asks for. A call that writes is sent again only if it
// provably never ran: no connection came about, or the service answered 429
// without looking at it. One that comes to the same when it runs twice, such as a
// put of KV, is sent again as a read is. When a write may have run, the error says so
// ([Ambiguous]) and nothing is sent twice, not by this package and not by
// net/http below it.
//
// # Secrets
//
// The token travels in a header to the host of the base URL and nowhere else:
// redirects are not followed, and plain http is refused except to the machine
// itself. Errors, logs and the printed form of a [Config] never hold it.
package cloudflare
