package kv

import (
	"context"
	"iter"
	"time"
)

// Version names a state of a key: every write gives it another, and none comes back
// when a key is deleted and made anew. It is opaque.
type Version string

// Absent is the version of a key that does not exist.
const Absent Version = ""

// Swapper is a Namespace that can write on condition.
type Swapper interface {
	Namespace

	// CompareAndSwap stores a value if the key's version is old, and returns its new
	// version; with [Absent], if the key does not exist. If the version is another, the
	// error is [ErrConflict] and nothing is stored. See [Update].
	CompareAndSwap(ctx context.Context, key string, old Version, value []byte, opts PutOptions) (Version, error)

	// CompareAndDelete removes a key if its version is old. If it is another, or the key
	// does not exist, the error is [ErrConflict].
	CompareAndDelete(ctx context.Context, key string, old Version) error
}

// Write is one write of a batch: a put, or with Delete a deletion.
type Write struct {
	// Key is what is written.
	Key string
	// Value is what is stored.
	Value []byte
	// PutOptions say what is stored beside it.
	PutOptions
	// Delete removes the key; Value and PutOptions are then not used.
	Delete bool
}

// Batcher is a Namespace that can write many keys at once.
type Batcher interface {
	Namespace

	// Batch does at most [MaxBatch] writes, as if in their order: of several writes of
	// one key the last counts. All of them are checked before any is sent. Where the
	// place is not Atomic, an error may leave some of them done; if it is a
	// [*BatchError], it says which were not.
	Batch(ctx context.Context, writes []Write) error

	// Atomic reports whether a batch is done as a whole or not at all, and is seen so by
	// readers.
	Atomic() bool
}

// Counter is a Namespace that can count.
type Counter interface {
	Namespace

	// Add adds delta to the value of a key, in one step, and returns the sum. The value
	// is a decimal integer of 64 bits, as text; anything else, and an overflow, is an
	// error and changes nothing. A key that does not exist counts as 0 and is made with
	// opts; one that does keeps its metadata and its expiry.
	Add(ctx context.Context, key string, delta int64, opts PutOptions) (int64, error)
}

// Expirer is a Namespace with more to say on expiry than KV: keys may live shorter than
// [MinTTL], and to the millisecond.
type Expirer interface {
	Namespace

	// Touch sets the expiry of a key and leaves its value and metadata: opts.TTL or
	// opts.Expiration, or for ever if both are zero. Metadata is not used. A key that
	// does not exist is [ErrNotFound].
	Touch(ctx context.Context, key string, opts PutOptions) error

	// MinTTL returns the shortest time to live that the place takes.
	MinTTL() time.Duration

	// Purge removes up to limit keys that have expired, and returns how many it removed.
	// Nobody needs to call it for expired keys to be gone: it frees their space.
	Purge(ctx context.Context, limit int) (int, error)
}

// Querier is a Namespace whose keys and metadata can be searched with SQL.
type Querier interface {
	Namespace

	// Query yields the keys for which a condition holds. It is an SQL expression, in
	// SQLite's dialect, and may be followed by ORDER BY and LIMIT; it may use the columns
	//
	//	name        the key, TEXT
	//	metadata    its metadata, JSON as TEXT, or NULL
	//	expiration  when it ends, in Unix seconds (a REAL), or NULL
	//	size        the length of its value in bytes
	//
	// such as "metadata->>'$.role' = ? ORDER BY name LIMIT 10". Never put values into
	// the text: bind them to its parameters. An error is yielded last, with a zero Key.
	Query(ctx context.Context, where string, args ...any) iter.Seq2[Key, error]
}
