// Package kv is Cloudflare's Workers KV for Go.
//
// [Open] a namespace by its name, wherever it lives, and use the methods that KV
// users know:
//
//	ns, err := kv.Open("file:app.db?namespace=sessions")
//	err = ns.Put(ctx, "user:7", []byte("Ada"), kv.PutOptions{TTL: time.Hour})
//	value, err := ns.Get(ctx, "user:7") // kv.ErrNotFound if there is none
//	page, err := ns.List(ctx, kv.ListOptions{Prefix: "user:"})
//	err = ns.Delete(ctx, "user:7")
//
// [GetJSON], [PutJSON], [GetString], [PutReader] and their like carry other types than
// []byte; [All] goes through every page of a list; [Copy] brings the keys of one
// namespace into another, wherever the two are.
//
// # Places
//
// A place is an implementation of [Namespace]: kv/ond1 keeps a namespace in a D1
// database, and so also in a file in this process; kv/rest is Workers KV over
// Cloudflare's REST API; kv/binding is Workers KV inside a Worker. A place registers
// the scheme of its names when it is imported. Package kvtest has the tests that every
// Namespace passes.
//
// # Beyond Workers KV
//
// What only some places can do is an interface of its own: [Swapper] for compare and
// swap, [Batcher] for many writes at once, [Counter], [Expirer] for purging and for
// changing the expiry of a key, [Querier] for SQL over keys and metadata. Ask for one
// with a type assertion:
//
//	counter, ok := ns.(kv.Counter)
//
// # Limits
//
// Keys have 1 to 512 bytes of valid UTF-8 and are not "." or "..", values at most 25
// MiB, metadata at most 1,024 bytes of JSON. What breaks a limit is an [*Error] with
// KV's own text, and nothing is written.
//
// # Consistency
//
// Workers KV is eventually consistent: a read may give an older value, or none, for 60
// seconds and more after a write elsewhere, and the last of two writes wins. On D1 a
// read sees every write that was acknowledged before it.
package kv
