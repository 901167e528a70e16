package ond1

import (
	"context"
	"math"
	"strconv"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// The delta travels as a text: a number would be a REAL on D1.
const (
	sum    = `CAST(e.value AS INTEGER) + CAST(? AS INTEGER)`
	addSQL = `INSERT INTO "{t}" AS e (namespace, key, version, expiration, metadata, size, chunk, chunks, value) ` +
		`VALUES (?, ?, ?, {expiration}, ?, ?, NULL, 0, ?) ON CONFLICT (namespace, key) DO UPDATE SET ` +
		`version = excluded.version, ` +
		`value = CASE WHEN e.expiration <= {now} THEN excluded.value ELSE CAST(` + sum + ` AS TEXT) END, ` +
		`size = CASE WHEN e.expiration <= {now} THEN excluded.size ELSE length(CAST(` + sum + ` AS TEXT)) END, ` +
		`metadata = CASE WHEN e.expiration <= {now} THEN excluded.metadata ELSE e.metadata END, ` +
		`expiration = CASE WHEN e.expiration <= {now} THEN excluded.expiration ELSE e.expiration END, ` +
		`chunk = NULL, chunks = 0 ` +
		`WHERE e.expiration <= {now} OR (e.chunk IS NULL AND typeof(e.value) = 'text' ` +
		`AND CAST(CAST(e.value AS INTEGER) AS TEXT) = e.value AND typeof(` + sum + `) = 'integer') RETURNING value`
)

// Add implements [kv.Counter].
func (ns *Namespace) Add(ctx context.Context, key string, delta int64, opts kv.PutOptions) (int64, error) {
	const op = "add"
	text := strconv.FormatInt(delta, 10)
	metadata, err := kv.CheckPut(op, key, []byte(text), opts, ns.now(), ns.MinTTL())
	if err != nil {
		return 0, err
	}
	result := ""
	err = ns.run(ctx, op, key, true, func(l *layout) ([]d1.Statement, error) {
		if !l.native {
			return nil, ns.beyond(op, key, l)
		}
		at, ttl := ns.expiry(opts)
		return []d1.Statement{{SQL: ns.sql(addSQL), Args: []any{
			ns.cfg.Namespace, key, ns.newVersion(), at, ttl, textOrNil(metadata), int64(len(text)), text, text, text, text,
		}}}, nil
	}, func(results *d1.Results) error {
		result = ""
		if results.NextResult() && results.Next() {
			result = string(results.Row()[0].Bytes())
		}
		return results.Err()
	})
	if err != nil {
		return 0, err
	}
	if result == "" {
		return 0, &kv.Error{Op: op, Key: key, Status: 400, Message: "the value is no decimal integer, or the sum is not between " +
			strconv.FormatInt(math.MinInt64, 10) + " and " + strconv.FormatInt(math.MaxInt64, 10)}
	}
	ns.wrote(1)
	return strconv.ParseInt(result, 10, 64)
}
