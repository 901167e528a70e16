package kv

import (
	"context"
	"encoding/json"
	"time"
)

// Namespace is a KV namespace, wherever it lives. It is safe for concurrent use. Its
// contract is tested by package kvtest.
//
// Keys and what is put are checked against KV's limits before anything is sent (see
// [CheckKey], [CheckPut]). Values are bytes; what Get returns is the caller's own, and
// what Put is given is not kept.
type Namespace interface {
	// Get returns the value of a key, or an error that is [ErrNotFound]. An empty
	// value is not nil.
	Get(ctx context.Context, key string) ([]byte, error)

	// GetWithMetadata returns the value of a key with what is stored beside it, or an
	// error that is [ErrNotFound].
	GetWithMetadata(ctx context.Context, key string) (Entry, error)

	// GetMany returns the values of 1 to [MaxGetKeys] keys: every key is in the map,
	// with nil for one that does not exist.
	GetMany(ctx context.Context, keys []string) (map[string][]byte, error)

	// GetManyWithMetadata is GetMany with what is stored beside the values.
	GetManyWithMetadata(ctx context.Context, keys []string) (map[string]*Entry, error)

	// Put stores a value. It replaces the value, the metadata and the expiry that the
	// key had, all together. An error says that nothing was stored, unless it is
	// [Ambiguous].
	Put(ctx context.Context, key string, value []byte, opts PutOptions) error

	// Delete removes a key. That it does not exist is no error.
	Delete(ctx context.Context, key string) error

	// List returns a page of the keys, in the order of their bytes.
	List(ctx context.Context, opts ListOptions) (Page, error)

	// Close frees what the Namespace holds. A second Close does nothing.
	Close() error
}

// PutOptions say what is stored beside a value, and for how long. The zero value
// stores it without metadata and for ever.
type PutOptions struct {
	// TTL is how long the key lives; 0 means for ever. It wins over Expiration. KV
	// counts in whole seconds and takes [MinTTL] at least; an [Expirer] may take less.
	TTL time.Duration
	// Expiration is when the key ends; the zero time means never. KV knows whole
	// seconds.
	Expiration time.Time
	// Metadata is anything that encoding/json can encode into [MaxMetadataBytes]; a
	// [json.RawMessage] is taken as it is. nil, and a JSON null, mean none.
	Metadata any
}

// Entry is a value with what is stored beside it.
type Entry struct {
	// Value is never nil.
	Value []byte
	// Metadata is JSON, or nil if there is none. See [DecodeMetadata].
	Metadata json.RawMessage
	// Expiration is when the key ends. It is zero if it never does, and where the place
	// does not say, as KV's binding inside a Worker does not.
	Expiration time.Time
	// Version names this state of the key, in a place that is a [Swapper]; elsewhere it
	// is empty.
	Version Version
}

// ListOptions choose the keys of a list. The zero value is its first page, of
// [MaxListKeys] keys.
type ListOptions struct {
	// Prefix is what the keys begin with. It must be the same for all pages.
	Prefix string
	// Limit is how many keys the page may hold, 1 to [MaxListKeys]; 0 means the most.
	Limit int
	// Cursor is that of the page before; empty means the first page.
	Cursor string
}

// Page is a page of a list. It may hold fewer keys than were asked for, or none, and
// yet not be the last.
type Page struct {
	// Keys are in the order of their bytes.
	Keys []Key
	// Complete says that this is the last page.
	Complete bool
	// Cursor leads to the next page. It is empty if Complete.
	Cursor string
}

// Key is a key in a list.
type Key struct {
	// Name is the key.
	Name string
	// Expiration is when the key ends, or zero if it never does.
	Expiration time.Time
	// Metadata is JSON, or nil if there is none. See [DecodeMetadata].
	Metadata json.RawMessage
}
