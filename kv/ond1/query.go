package ond1

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
	"github.com/skylite-go/skylite/kv"
)

const querySQL = `SELECT name, expiration, metadata FROM (SELECT e.key AS name, e.metadata AS metadata, ` +
	`e.expiration / 1000.0 AS expiration, e.size AS size FROM "{t}" AS e WHERE e.namespace = {namespace} AND {alive}) WHERE `

// Query implements [kv.Querier]. An index over the table serves it if it begins with the
// namespace:
//
//	CREATE INDEX role ON sessions_kv_entries (namespace, metadata->>'$.role')
func (ns *Namespace) Query(ctx context.Context, where string, args ...any) iter.Seq2[kv.Key, error] {
	return func(yield func(kv.Key, error) bool) {
		if where == "" {
			where = "true"
		}
		stopped := false
		err := ns.run(ctx, "query", "", false, func(l *layout) ([]d1.Statement, error) {
			if !l.native {
				return nil, ns.beyond("query", "", l)
			}
			// The namespace stands in the text, so that the caller's parameters are his alone.
			sql := strings.ReplaceAll(ns.sql(querySQL), "{namespace}", sqltext.QuoteString(ns.cfg.Namespace))
			return []d1.Statement{{SQL: sql + where, Args: args}}, nil
		}, func(results *d1.Results) error {
			if !results.NextResult() {
				return results.Err()
			}
			for results.Next() {
				row := results.Row()
				key := kv.Key{Name: string(row[0].Bytes()), Metadata: metadataOf(row[2])}
				if seconds, ok := row[1].Float64(); ok {
					key.Expiration = kv.FromSeconds(seconds)
				}
				if !yield(key, nil) {
					stopped = true
					return errStopped
				}
			}
			return results.Err()
		})
		if err != nil && !stopped && !errors.Is(err, errNoTable) {
			yield(kv.Key{}, err)
		}
	}
}

var errStopped = errors.New("kv: the caller has seen enough")
