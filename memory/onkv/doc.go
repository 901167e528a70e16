// Package onkv keeps conversations in Workers KV, or in any other [kv.Namespace].
//
//	store, err := onkv.New(onkv.Config{Namespace: ns})
//	store, err := onkv.New(onkv.Config{Bindings: onkv.Bindings{Threads: t, Messages: m, Metadata: d}})
//
// Package memory/onkv/onrest makes the namespaces on Cloudflare first, if need be.
//
// # Keys
//
// KeyPrefix and a colon stand before all of them. Ids are escaped: % and : in them become
// %25 and %3A.
//
//	threads:<id>                                     a thread, JSON
//	touched:<id>                                     when its messages last changed
//	resources:<resource>:<thread>                    a resource's threads
//	messages:<thread>:<time>:<order>:<id>            a message, JSON
//	message:<id>                                     the key of a message
//	owned:<resource>:<time>:<order>:<id>             a resource's messages
//	metadata:<resource>                              what is remembered of a resource, JSON
//
// Time is in milliseconds and order counts, both with zeros before them, so that the keys
// of a thread's messages are in the order of its messages. Nothing ever reads the keys of
// other threads, and there is no list of messages that writers would have to share.
//
// The ids of one key together have room in KV's 512 bytes, less some 50.
//
// # What KV does not promise
//
// Workers KV is eventually consistent: for 60 seconds and more after a write, a reader
// elsewhere may miss a message, a thread or a change, or see an older one. It has no
// transactions: a call that fails half way, or a process that ends, may leave some of a
// call's messages stored; saving them again is safe. Of two changes of the same thread, or
// of the same resource, at the same time the last wins and the other is lost. A key takes
// one write a second, and every call that changes messages of a thread writes touched:<id>.
//
// On a namespace that is a [kv.Swapper], as those of kv/ond1 are, concurrent changes of a
// thread or a resource lose nothing; on a [kv.Batcher] that is Atomic, and holds all
// tables, a call's writes happen as a whole or not at all; and reads see what was written.
// Who has a D1 database has all of that, and fewer requests, in memory/ond1.
//
// # Costs
//
// A message is three keys. The first page of a thread is one list and one read of many
// keys. Lists from the end, windows around a message and totals list the keys of the whole
// thread first, 1,000 a request.
package onkv
