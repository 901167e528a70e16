package ond1

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// A key that has expired does not exist, but its row may still be there.
const (
	swapSQL = `UPDATE "{t}" AS e SET version = ?, expiration = {expiration}, metadata = ?, size = ?, chunk = ?, chunks = ?, value = ? ` +
		`WHERE e.namespace = ? AND e.key = ? AND e.version = ? AND {alive} RETURNING 1`
	absentSQL = `INSERT INTO "{t}" AS e (namespace, key, version, expiration, metadata, size, chunk, chunks, value) ` +
		`VALUES (?, ?, ?, {expiration}, ?, ?, ?, ?, ?)` + replace + ` WHERE e.expiration <= {now} RETURNING 1`
	// Chunks come last, and only if the row is the new one.
	guardedSQL = `INSERT INTO "{t}_chunks" (id, data) SELECT ?, ? ` +
		`WHERE EXISTS (SELECT 1 FROM "{t}" WHERE namespace = ? AND key = ? AND version = ?)`
	removeSQL = `DELETE FROM "{t}" AS e WHERE e.namespace = ? AND e.key = ? AND e.version = ? AND {alive} RETURNING 1`
	touchSQL  = `UPDATE "{t}" AS e SET version = ?, expiration = {expiration} WHERE e.namespace = ? AND e.key = ? AND {alive} RETURNING 1`
)

// sql fills in a statement of this package's own layout, once.
func (ns *Namespace) sql(text string) string {
	if filled, ok := ns.filled.Load(text); ok {
		return filled.(string)
	}
	filled := ns.fillIn(text)
	ns.filled.Store(text, filled)
	return filled
}

func (ns *Namespace) fillIn(text string) string {
	base := "{now}"
	if ns.cfg.Strict {
		base = "{now}/1000*1000"
	}
	text = strings.NewReplacer("{base}", base, "{alive}", "(e.expiration IS NULL OR e.expiration > {now})",
		"{expiration}", "COALESCE(?, "+base+" + ?)").Replace(text)
	return fill(text, ns.cfg.Table.Name)
}

// CompareAndSwap implements [kv.Swapper].
func (ns *Namespace) CompareAndSwap(ctx context.Context, key string, old kv.Version, value []byte, opts kv.PutOptions) (kv.Version, error) {
	const op = "compare and swap"
	metadata, err := kv.CheckPut(op, key, value, opts, ns.now(), ns.MinTTL())
	if err != nil {
		return "", err
	}
	version, known := parseVersion(old)
	if !known {
		return "", kv.Conflict(op, key)
	}
	var p piece
	swapped := false
	err = ns.run(ctx, op, key, true, func(l *layout) ([]d1.Statement, error) {
		if !l.native {
			return nil, ns.beyond(op, key, l)
		}
		p = ns.newPiece(value)
		at, ttl := ns.expiry(opts)
		s := d1.Statement{SQL: ns.sql(swapSQL), Args: []any{
			p.version, at, ttl, textOrNil(metadata), int64(len(value)), p.chunk, p.chunks, p.inline, ns.cfg.Namespace, key, version,
		}}
		if old == kv.Absent {
			s = d1.Statement{SQL: ns.sql(absentSQL), Args: []any{
				ns.cfg.Namespace, key, p.version, at, ttl, textOrNil(metadata), int64(len(value)), p.chunk, p.chunks, p.inline,
			}}
		}
		statements := []d1.Statement{s}
		for i, part := range p.parts {
			statements = append(statements, d1.Statement{SQL: ns.sql(guardedSQL),
				Args: []any{p.version + int64(i), part, ns.cfg.Namespace, key, p.version}})
		}
		return statements, nil
	}, returned(&swapped))
	switch {
	case err != nil:
		return "", err
	case !swapped:
		return "", kv.Conflict(op, key)
	}
	ns.wrote(1)
	return kv.Version(strconv.FormatInt(p.version, 10)), nil
}

// CompareAndDelete implements [kv.Swapper].
func (ns *Namespace) CompareAndDelete(ctx context.Context, key string, old kv.Version) error {
	const op = "compare and delete"
	if err := kv.CheckKey(op, key); err != nil {
		return err
	}
	version, known := parseVersion(old)
	if !known || old == kv.Absent {
		return kv.Conflict(op, key)
	}
	deleted := false
	err := ns.run(ctx, op, key, false, func(l *layout) ([]d1.Statement, error) {
		if !l.native {
			return nil, ns.beyond(op, key, l)
		}
		return []d1.Statement{{SQL: ns.sql(removeSQL), Args: []any{ns.cfg.Namespace, key, version}}}, nil
	}, returned(&deleted))
	switch {
	case err != nil && !errors.Is(err, errNoTable):
		return err
	case !deleted:
		return kv.Conflict(op, key)
	}
	ns.wrote(1)
	return nil
}

// returned notes whether the first statement has returned a row.
func returned(row *bool) func(*d1.Results) error {
	return func(results *d1.Results) error {
		*row = results.NextResult() && results.Next()
		return results.Err()
	}
}

// parseVersion reads a version; one that this package cannot have given is not known.
func parseVersion(v kv.Version) (n int64, known bool) {
	if v == kv.Absent {
		return 0, true
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil && n > 0
}
