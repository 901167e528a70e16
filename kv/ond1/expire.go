package ond1

import (
	"context"
	"errors"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// Touch implements [kv.Expirer].
func (ns *Namespace) Touch(ctx context.Context, key string, opts kv.PutOptions) error {
	const op = "touch"
	if err := kv.CheckKey(op, key); err != nil {
		return err
	}
	if err := kv.CheckExpiry(op, key, opts, ns.now(), ns.MinTTL()); err != nil {
		return err
	}
	touched := false
	err := ns.run(ctx, op, key, false, func(l *layout) ([]d1.Statement, error) {
		if !l.native {
			return nil, ns.beyond(op, key, l)
		}
		at, ttl := ns.expiry(opts)
		return []d1.Statement{{SQL: ns.sql(touchSQL), Args: []any{ns.newVersion(), at, ttl, ns.cfg.Namespace, key}}}, nil
	}, returned(&touched))
	switch {
	case err != nil && !errors.Is(err, errNoTable):
		return err
	case !touched:
		return kv.NotFound(op, key)
	}
	ns.wrote(1)
	return nil
}

// The index of what expires holds all that the inner statement reads.
const purgeSQL = `DELETE FROM "{t}" WHERE (namespace, key) IN (SELECT namespace, key FROM "{t}" ` +
	`WHERE expiration IS NOT NULL AND expiration <= {now} ORDER BY expiration LIMIT ?) RETURNING 1`

// Purge implements [kv.Expirer]. It purges all the namespaces of the table.
func (ns *Namespace) Purge(ctx context.Context, limit int) (int, error) {
	const op = "purge"
	if limit <= 0 {
		return 0, nil
	}
	if err := ns.enter(op, ""); err != nil {
		return 0, err
	}
	defer ns.active.Done()
	return ns.purge(ctx, limit)
}

func (ns *Namespace) purge(ctx context.Context, limit int) (int, error) {
	const op = "purge"
	n := 0
	err := ns.attempt(ctx, op, "", false, func(l *layout) ([]d1.Statement, error) {
		if !l.native {
			return nil, ns.beyond(op, "", l)
		}
		return []d1.Statement{{SQL: ns.sql(purgeSQL), Args: []any{int64(limit)}}}, nil
	}, func(results *d1.Results) error {
		n = 0
		if results.NextResult() {
			for results.Next() {
				n++
			}
		}
		return results.Err()
	})
	if errors.Is(err, errNoTable) {
		return 0, nil
	}
	return n, err
}

// purgeSteps bounds how long one round of purging goes on.
const purgeSteps = 50

// wrote counts writes, and begins a step of purging when it is time for one. The step is a
// request of its own, so no write waits for it or fails with it. One that fails is made up
// for by the next.
func (ns *Namespace) wrote(n int) {
	every := int64(ns.cfg.PurgeEvery)
	if every < 0 {
		return
	}
	before := ns.writes.Add(int64(n)) - int64(n)
	if before/every == (before+int64(n))/every || !ns.layout.Load().native || !ns.purging.CompareAndSwap(false, true) {
		return
	}
	if ns.enter("purge", "") != nil {
		ns.purging.Store(false)
		return
	}
	go func() {
		defer ns.active.Done()
		defer ns.purging.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		// A step that was full has left some.
		limit := 2 * int(min(every, 500))
		for range purgeSteps {
			if removed, err := ns.purge(ctx, limit); err != nil || removed < limit {
				return
			}
		}
	}()
}
