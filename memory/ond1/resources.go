package ond1

import (
	"context"
	"iter"

	"github.com/skylite-go/skylite/d1"
)

// Resources yields the ids of all resources of which something is remembered, in order.
// An error is yielded last, with an empty id.
func (s *Store) Resources(ctx context.Context) iter.Seq2[string, error] {
	const most = 1000
	return func(yield func(string, error) bool) {
		for last, n := "", most; n == most; {
			n = 0
			var ids []string
			err := s.do(ctx, []d1.Statement{{SQL: s.sql.fill("SELECT id FROM {r} WHERE id > ? ORDER BY id LIMIT ?"), Args: []any{last, most}}},
				func(_ int, r *d1.Results) error {
					for r.Next() {
						if err := r.Scan(&last); err != nil {
							return err
						}
						ids = append(ids, last)
					}
					return r.Err()
				})
			if err != nil {
				yield("", err)
				return
			}
			for _, id := range ids {
				if n++; !yield(id, nil) {
					return
				}
			}
		}
	}
}
