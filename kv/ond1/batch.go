package ond1

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// batchBytes is how long the JSON of one statement may become: half of D1's limit.
const batchBytes = 1_000_000

// putManySQL takes an array of arrays, of which each is a row; a value in hexadecimal is one
// that JSON cannot carry.
const putManySQL = `INSERT INTO "{t}" (namespace, key, version, expiration, metadata, size, chunk, chunks, value) ` +
	`SELECT ?, j.value->>0, j.value->>1, COALESCE(j.value->>2, {base} + (j.value->>3)), j.value->>4, j.value->>5, ` +
	`j.value->>6, j.value->>7, COALESCE(j.value->>8, unhex(j.value->>9)) FROM json_each(?) AS j WHERE true` + replace

// Atomic implements [kv.Batcher]: a batch is one transaction.
func (ns *Namespace) Atomic() bool { return true }

// Batch implements [kv.Batcher].
func (ns *Namespace) Batch(ctx context.Context, writes []kv.Write) error {
	metadata, err := kv.CheckBatch(writes, ns.now(), ns.MinTTL())
	if err != nil || len(writes) == 0 {
		return err
	}
	err = ns.run(ctx, "batch", "", true, func(l *layout) ([]d1.Statement, error) {
		b := batch{ns: ns, layout: l}
		last := make(map[string]int, len(writes))
		for i, w := range writes {
			last[w.Key] = i
		}
		for i, w := range writes {
			if last[w.Key] != i {
				continue
			}
			if err := b.add(w, metadata[i]); err != nil {
				return nil, err
			}
		}
		return b.finish(), nil
	}, nil)
	if err == nil {
		ns.wrote(len(writes))
	}
	return err
}

// batch collects writes, each of another key, into statements.
type batch struct {
	ns         *Namespace
	layout     *layout
	statements []d1.Statement
	rows       bytes.Buffer // of a JSON array of puts
	deletions  []string
	length     int // of their keys
}

func (b *batch) add(w kv.Write, metadata json.RawMessage) error {
	if w.Delete {
		if b.length += 6*len(w.Key) + 3; b.length > batchBytes {
			b.flushDeletions()
			b.length = 6*len(w.Key) + 3
		}
		b.deletions = append(b.deletions, w.Key)
		return nil
	}
	if !b.layout.native {
		put, err := b.ns.legacyPut(b.layout, w.Key, w.Value, metadata, w.PutOptions)
		b.statements = append(b.statements, put...)
		return err
	}
	p := b.ns.newPiece(w.Value)
	b.statements = append(b.statements, p.statements(b.ns.cfg.Table.Name)...)
	row, err := b.row(&p, w, metadata)
	if err != nil {
		return err
	}
	if b.rows.Len() > 0 && b.rows.Len()+len(row) > batchBytes {
		b.flushRows()
	}
	if b.rows.Len() == 0 {
		b.rows.WriteByte('[')
	} else {
		b.rows.WriteByte(',')
	}
	b.rows.Write(row)
	return nil
}

func (b *batch) row(p *piece, w kv.Write, metadata json.RawMessage) ([]byte, error) {
	at, ttl := b.ns.expiry(w.PutOptions)
	var text, binary any
	switch value := p.inline.(type) {
	case string:
		text = value
	case []byte:
		binary = hex.EncodeToString(value)
	}
	var row bytes.Buffer
	enc := json.NewEncoder(&row)
	enc.SetEscapeHTML(false)
	err := enc.Encode([]any{w.Key, p.version, at, ttl, textOrNil(metadata), len(w.Value), p.chunk, p.chunks, text, binary})
	return bytes.TrimSuffix(row.Bytes(), []byte{'\n'}), err
}

func (b *batch) flushRows() {
	if b.rows.Len() == 0 {
		return
	}
	b.rows.WriteByte(']')
	b.statements = append(b.statements, d1.Statement{SQL: b.ns.sql(putManySQL), Args: []any{b.ns.cfg.Namespace, b.rows.String()}})
	b.rows.Reset()
}

func (b *batch) flushDeletions() {
	if len(b.deletions) == 0 {
		return
	}
	b.statements = append(b.statements, d1.Statement{
		SQL: b.layout.delMany, Args: b.ns.args(b.layout, jsonOf(b.deletions))})
	b.deletions, b.length = nil, 0
}

func (b *batch) finish() []d1.Statement {
	b.flushRows()
	b.flushDeletions()
	return b.statements
}

// Move brings the keys that a namespace in the layout of d1-namespace holds into another
// namespace, and removes them from the first, step by step: a key is removed when it has been
// stored, and an error can be followed by another Move. Keys that have less of their life left
// than the other namespace takes stay. It returns how many keys it has moved. Nobody may write
// the first namespace meanwhile. Its table is left.
func Move(ctx context.Context, to kv.Namespace, from *Namespace) (int, error) {
	moved := 0
	for page := (kv.Page{}); !page.Complete; {
		var err error
		page, err = from.List(ctx, kv.ListOptions{Limit: kv.MaxGetKeys, Cursor: page.Cursor})
		if err != nil {
			return moved, err
		}
		if len(page.Keys) > 0 && from.layout.Load().native {
			return moved, errors.New("kv: move: the namespace has not the layout of d1-namespace; use kv.Copy")
		}
		copied, err := kv.CopyKeys(ctx, to, from, page.Keys)
		if err != nil {
			return moved, err
		}
		deletions := make([]kv.Write, len(copied))
		for i, key := range copied {
			deletions[i] = kv.Write{Key: key, Delete: true}
		}
		if err := from.Batch(ctx, deletions); err != nil {
			return moved, err
		}
		moved += len(copied)
	}
	return moved, nil
}
