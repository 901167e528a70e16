package ond1

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// Put implements [kv.Namespace]. It is one transaction, however long the value.
func (ns *Namespace) Put(ctx context.Context, key string, value []byte, opts kv.PutOptions) error {
	metadata, err := kv.CheckPut("put", key, value, opts, ns.now(), ns.MinTTL())
	if err != nil {
		return err
	}
	err = ns.run(ctx, "put", key, true, func(l *layout) ([]d1.Statement, error) {
		if !l.native {
			return ns.legacyPut(l, key, value, metadata, opts)
		}
		p := ns.newPiece(value)
		at, ttl := ns.expiry(opts)
		return append(p.statements(ns.cfg.Table.Name), d1.Statement{SQL: l.put, Args: []any{
			ns.cfg.Namespace, key, p.version, at, ttl, textOrNil(metadata), int64(len(value)), p.chunk, p.chunks, p.inline,
		}}), nil
	}, nil)
	if err == nil {
		ns.wrote(1)
	}
	return err
}

// Delete implements [kv.Namespace].
func (ns *Namespace) Delete(ctx context.Context, key string) error {
	if err := kv.CheckKey("delete", key); err != nil {
		return err
	}
	err := ns.run(ctx, "delete", key, false, func(l *layout) ([]d1.Statement, error) {
		return []d1.Statement{{SQL: l.del, Args: ns.args(l, key)}}, nil
	}, nil)
	if errors.Is(err, errNoTable) {
		return nil
	}
	if err == nil {
		ns.wrote(1)
	}
	return err
}

// piece is a value as it is stored: beside its key, or in chunks.
type piece struct {
	version int64
	inline  any // string or []byte, or nil if there are chunks
	chunk   any // the first chunk's number, or nil
	chunks  int64
	parts   []any
}

func (ns *Namespace) newPiece(value []byte) piece {
	p := piece{version: ns.newVersion()}
	isText := isText(value)
	if len(value) <= ns.cfg.InlineBytes {
		p.inline = stored(value, isText)
		return p
	}
	p.chunk = p.version
	for len(value) > 0 {
		n := min(len(value), chunkBytes)
		for isText && n < len(value) && !utf8.RuneStart(value[n]) {
			n--
		}
		p.parts = append(p.parts, stored(value[:n], isText))
		value = value[n:]
	}
	p.chunks = int64(len(p.parts))
	return p
}

// isText reports whether a value can be stored as a TEXT and surely comes back as it is: on
// its way it may pass through decoders that stop at a NUL or drop a byte order mark.
func isText(value []byte) bool {
	return utf8.Valid(value) && bytes.IndexByte(value, 0) < 0 && !bytes.HasPrefix(value, []byte("\uFEFF"))
}

func stored(value []byte, isText bool) any {
	if isText {
		return string(value)
	}
	return bytes.Clone(value)
}

// statements store the chunks.
func (p *piece) statements(table string) []d1.Statement {
	var statements []d1.Statement
	for i, part := range p.parts {
		statements = append(statements, d1.Statement{
			SQL: `INSERT INTO "` + table + `_chunks" (id, data) VALUES (?, ?)`, Args: []any{p.version + int64(i), part},
		})
	}
	return statements
}

// expiry returns the two arguments of an expiry in the statements: a time, and a time from
// now, in milliseconds; one of them or both are nil.
func (ns *Namespace) expiry(opts kv.PutOptions) (at, ttl any) {
	unit := time.Millisecond
	if ns.cfg.Strict {
		unit = time.Second
	}
	switch {
	case opts.TTL != 0:
		// No TTL is so long that the sum overflows: a Duration has 292 years.
		return nil, opts.TTL.Truncate(unit).Milliseconds()
	case !opts.Expiration.IsZero():
		return opts.Expiration.Truncate(unit).UnixMilli(), nil
	}
	return nil, nil
}

func textOrNil(metadata json.RawMessage) any {
	if metadata == nil {
		return nil
	}
	return string(metadata)
}

// legacyPut stores a value as d1-namespace does: a BLOB in its row, and seconds.
func (ns *Namespace) legacyPut(l *layout, key string, value []byte, metadata json.RawMessage, opts kv.PutOptions) ([]d1.Statement, error) {
	if len(value)+len(key)+len(metadata) > d1.MaxValueBytes-100 {
		return nil, &kv.Error{Op: "put", Key: key, Status: 413, Outcome: kv.OutcomeUnsent, Message: fmt.Sprintf(
			"the value has %d bytes, and the table %s has the layout of %s, which takes %d: Move it",
			len(value), ns.cfg.Table.Name, l.name, d1.MaxValueBytes)}
	}
	var at, ttl any
	switch {
	case opts.TTL != 0: // up, for 0 would be the past
		ttl = int64((opts.TTL + time.Second - 1) / time.Second)
	case !opts.Expiration.IsZero():
		at = opts.Expiration.Unix()
	}
	blob := append(make([]byte, 0, len(value)), value...)
	var meta any
	if metadata != nil {
		meta = []byte(metadata)
	}
	return []d1.Statement{{SQL: l.put, Args: ns.args(l, key, blob, meta, at, ttl)}}, nil
}

// beyond is the error of what only this package's own layout can do.
func (ns *Namespace) beyond(op, key string, l *layout) error {
	return &kv.Error{Op: op, Key: key, Outcome: kv.OutcomeUnsent, Err: errors.ErrUnsupported, Message: fmt.Sprintf(
		"the table %s has the layout of %s, which has only KV's own methods: Move it", ns.cfg.Table.Name, l.name)}
}
