package kv

import "time"

// KV's limits. Source: developers.cloudflare.com/kv/platform/limits, and the checks
// that miniflare makes in the service's place.
const (
	// MaxKeyBytes is the length of a key, and of a list's prefix, in UTF-8.
	MaxKeyBytes = 512
	// MaxValueBytes is the length of a value: 25 MiB.
	MaxValueBytes = 25 << 20
	// MaxMetadataBytes is the length of metadata as JSON.
	MaxMetadataBytes = 1024
	// MaxGetKeys is how many keys may be read at once.
	MaxGetKeys = 100
	// MaxGetBytes is how long the values that are read at once may be together.
	MaxGetBytes = 25 << 20
	// MaxListKeys is how many keys a page of a list holds, and the default.
	MaxListKeys = 1000
	// MaxBatch is how many writes a batch may hold.
	MaxBatch = 10_000
	// MinTTL is the shortest time to live, and the shortest way to an absolute expiry.
	MinTTL = 60 * time.Second
)
