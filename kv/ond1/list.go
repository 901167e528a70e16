package ond1

import (
	"context"
	"encoding/base64"
	"errors"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// List implements [kv.Namespace]. A cursor is the last key of its page, in base64, as that
// of d1-namespace and of miniflare. A page costs what it holds, however deep it lies.
func (ns *Namespace) List(ctx context.Context, opts kv.ListOptions) (kv.Page, error) {
	if err := kv.CheckList(opts); err != nil {
		return kv.Page{}, err
	}
	last, err := decodeCursor(opts.Cursor)
	if err != nil {
		return kv.Page{}, err
	}
	limit := opts.Limit
	if limit == 0 {
		limit = kv.MaxListKeys
	}
	var page kv.Page
	err = ns.run(ctx, "list", opts.Prefix, false, func(l *layout) ([]d1.Statement, error) {
		return []d1.Statement{ns.listStatement(l, opts.Prefix, last, limit)}, nil
	}, func(results *d1.Results) error {
		page = kv.Page{Keys: make([]kv.Key, 0, min(limit, 64)), Complete: true}
		if !results.NextResult() {
			return results.Err()
		}
		for results.Next() {
			if len(page.Keys) == limit {
				page.Complete = false
				break
			}
			row := results.Row()
			page.Keys = append(page.Keys, kv.Key{
				Name: string(row[0].Bytes()), Expiration: timeOf(row[1]), Metadata: metadataOf(row[2])})
		}
		return results.Err()
	})
	switch {
	case errors.Is(err, errNoTable):
		return kv.Page{Keys: []kv.Key{}, Complete: true}, nil
	case err != nil:
		return kv.Page{}, err
	}
	if !page.Complete {
		page.Cursor = encodeCursor(page.Keys[limit-1].Name)
	}
	return page, nil
}

func (ns *Namespace) listStatement(l *layout, prefix, last string, limit int) d1.Statement {
	lower, low := from, prefix
	if last != "" && last >= prefix {
		lower, low = after, last
	}
	args := ns.args(l, low)
	upper := 0
	if high := prefixEnd(prefix); high != "" {
		upper = 1
		args = append(args, high)
	}
	// One more tells whether the page is the last.
	return d1.Statement{SQL: l.list[lower][upper], Args: append(args, int64(limit)+1)}
}

// prefixEnd returns the first text behind all those that begin with prefix, in the order of
// bytes; "" means that there is none. The order of UTF-8's bytes is that of its code
// points, so it is the prefix with its last one raised, which is valid UTF-8 again.
func prefixEnd(prefix string) string {
	for prefix != "" {
		r, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case r == utf8.MaxRune: // the one before it is raised
			continue
		case r == 0xD7FF: // there are no surrogates in UTF-8
			r = 0xE000
		default:
			r++
		}
		return prefix + string(r)
	}
	return ""
}

func encodeCursor(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) }

func decodeCursor(cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	key, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil || len(key) > kv.MaxKeyBytes || len(key) == 0 || !utf8.Valid(key) {
		return "", &kv.Error{Op: "list", Status: 400, Outcome: kv.OutcomeUnsent,
			Message: "Invalid cursor: it is none that a list has given"}
	}
	return string(key), nil
}
