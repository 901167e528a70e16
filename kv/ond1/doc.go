// Package ond1 keeps KV namespaces in a D1 database, wherever that lives: over d1/embedded
// it is a KV in a file of this machine that needs no account, over d1/rest or in a Worker
// it is a KV that is consistent, costs a fifth for writes, and can do what KV cannot.
//
//	ns, err := kv.Open("file:app.db?namespace=sessions")
//	ns, err := ond1.New(db, ond1.Config{Namespace: "sessions"}) // db is a *d1.DB
//
// A [Namespace] is also a [kv.Swapper], [kv.Batcher] (atomic), [kv.Counter], [kv.Expirer]
// and [kv.Querier]. Each call is one request to the database, which is one transaction.
//
// # Tables
//
// A namespace lives in a table that is named after it, sessions_kv_entries for instance,
// or that [Table] names; any number of namespaces share one table without meeting. The
// first write makes it, with a table of the same name and _chunks for values that do not
// fit beside their keys, an index of what expires, and two triggers that remove chunks.
// [Schema] returns their SQL, for those who make their tables with migrations.
//
// Keys are TEXT, so that their order is that of their bytes. Values of up to 256 bytes
// stand beside their keys; longer ones are cut into chunks, so that lists do not read them
// and D1's limit of 2 MB is no limit. A value that is valid UTF-8 is stored as TEXT, and
// can be read with SQL; any other is a BLOB.
//
// # Expiry
//
// A key that has expired is never returned. The database's clock decides, to the
// millisecond. What has expired is removed in small steps beside the writes, never in the
// caller's transaction; see [Config.PurgeEvery].
//
// # d1-namespace
//
// The npm package d1-namespace keeps a namespace in a table of the same name. A table that
// it made, in the layout of its version 1.0 or 1.1, is recognised and can be read and
// written in place, by both; what is beyond KV's own methods needs this package's layout,
// into which [Move] brings it.
package ond1
