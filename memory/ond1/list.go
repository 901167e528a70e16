package ond1

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// cursor is where a page ended.
type cursor struct {
	At  string `json:"t"`
	RID int64  `json:"r"`
}

func (c cursor) String() string {
	text, _ := json.Marshal(c) // a text and a number
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(text string) (c cursor, err error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil || c.At == "" {
		return c, memory.Invalidf("the cursor %.40q is none of this store's", text)
	}
	return c, nil
}

// chosen is the condition of the messages that a query chooses.
func (s *Store) chosen(q memory.MessageQuery) (w where, err error) {
	switch len(q.ThreadIDs) {
	case 0:
		w.and("m.resourceId = ?", q.ResourceID)
	case 1:
		w.and("m.thread_id = ?", q.ThreadIDs[0])
	default:
		ids, err := memory.EncodeJSON(q.ThreadIDs)
		if err != nil {
			return w, err
		}
		w.and("m.thread_id IN (SELECT value FROM json_each(?))", string(ids))
	}
	if q.ResourceID != "" && len(q.ThreadIDs) > 0 {
		w.and("+m.resourceId = ?", q.ResourceID) // the plus leaves the thread's index to be used
	}
	if !q.Start.IsZero() {
		w.and(map[bool]string{false: "m.createdAt >= ?", true: "m.createdAt > ?"}[q.StartExclusive], timeText(q.Start))
	}
	if !q.End.IsZero() {
		w.and(map[bool]string{false: "m.createdAt <= ?", true: "m.createdAt < ?"}[q.EndExclusive], timeText(q.End))
	}
	return w, w.filter("m.content", "$.metadata", q.Metadata)
}

// listing is a list of messages under way.
type listing struct {
	store *Store
	query memory.MessageQuery
	where where

	statements []d1.Statement
	reads      []func(r *d1.Results) error

	all      *gathered
	page     []int64 // the rowids of the page, in order
	rest     []int64 // those behind it, as many as there are included messages, and one
	included map[int64]bool
	total    int
}

func (l *listing) add(statement d1.Statement, read func(r *d1.Results) error) {
	l.statements = append(l.statements, statement)
	l.reads = append(l.reads, read)
}

// ListMessages implements [memory.Store]. It is one request, and what it reads of the
// database is what it returns, but for the pages before a Page and for a Total.
func (s *Store) ListMessages(ctx context.Context, q memory.MessageQuery) (memory.MessagePage, error) {
	q, err := q.Check()
	if err != nil {
		return memory.MessagePage{}, err
	}
	l := &listing{store: s, query: q, all: s.gather(), included: map[int64]bool{}, total: -1}
	if l.where, err = s.chosen(q); err != nil {
		return memory.MessagePage{}, err
	}
	if err := l.include(); err != nil {
		return memory.MessagePage{}, err
	}
	if q.PerPage == memory.None {
		l.total = 0
	} else if err := l.list(); err != nil {
		return memory.MessagePage{}, err
	}
	if len(l.statements) > 0 {
		err := s.do(ctx, l.statements, func(i int, r *d1.Results) error { return l.reads[i](r) })
		if err != nil {
			return memory.MessagePage{}, err
		}
	}
	return l.result()
}

// list adds the statements of the page itself.
func (l *listing) list() error {
	q, s := l.query, l.store
	base := l.where
	if q.Total && q.PerPage != memory.All {
		l.add(d1.Statement{SQL: s.sql.fill("SELECT count(*) FROM {m} AS m") + base.String(), Args: base.args},
			func(r *d1.Results) error { return scanOne(r, &l.total) })
	}
	w := where{conditions: slices.Clone(base.conditions), args: slices.Clone(base.args)}
	if q.Cursor != "" {
		c, err := parseCursor(q.Cursor)
		if err != nil {
			return err
		}
		w.and("(m.createdAt, m.rowid) "+map[memory.Order]string{memory.Ascending: ">", memory.Descending: "<"}[q.Order]+" (?, ?)", c.At, c.RID)
	}
	order := w.String() + " ORDER BY m.createdAt " + string(q.Order) + ", m.rowid " + string(q.Order)
	sql := s.sql.fill("SELECT " + s.sql.messageColumns("m") + " FROM {m} AS m" + order)
	read := func(r *d1.Results) (err error) { l.page, err = l.all.read(r); return err }
	if q.PerPage == memory.All {
		l.add(d1.Statement{SQL: s.sql.selectMessages(sql), Args: w.args}, read)
		return nil
	}
	offset := q.Page * q.PerPage
	limited := func(limit, offset int) []any { return append(slices.Clone(w.args), limit, offset) }
	l.add(d1.Statement{SQL: s.sql.selectMessages(sql + " LIMIT ? OFFSET ?"), Args: limited(q.PerPage, offset)}, read)
	most := 1
	for _, include := range q.Include {
		most = min(most+include.Previous+include.Next+1, 1<<40)
	}
	l.add(d1.Statement{SQL: s.sql.fill("SELECT m.rowid FROM {m} AS m" + order + " LIMIT ? OFFSET ?"),
		Args: limited(most, offset+q.PerPage)}, func(r *d1.Results) error {
		for r.Next() {
			var rid int64
			if err := r.Scan(&rid); err != nil {
				return err
			}
			l.rest = append(l.rest, rid)
		}
		return r.Err()
	})
	return nil
}

// include adds the statements of the messages that are included: two for each size of
// window.
func (l *listing) include() error {
	type window struct{ previous, next int }
	windows := map[window][]string{}
	var sizes []window
	for _, include := range l.query.Include {
		size := window{include.Previous, include.Next}
		if windows[size] == nil {
			sizes = append(sizes, size)
		}
		windows[size] = append(windows[size], include.ID)
	}
	for _, size := range sizes {
		for _, ids := range groups(windows[size]) {
			l.add(l.window(ids, "<=", memory.Descending, min(size.previous, maxWindow)+1), l.readIncluded)
			if size.next > 0 {
				l.add(l.window(ids, ">", memory.Ascending, min(size.next, maxWindow)), l.readIncluded)
			}
		}
	}
	return nil
}

const maxWindow = 1 << 40

func (l *listing) readIncluded(r *d1.Results) error {
	rids, err := l.all.read(r)
	for _, rid := range rids {
		l.included[rid] = true
	}
	return err
}

// window is the statement for the messages on one side of those with the ids in an array.
func (l *listing) window(ids, side string, order memory.Order, limit int) d1.Statement {
	s := l.store
	target, neighbour, args := "", "", []any{ids}
	if r := l.query.ResourceID; r != "" {
		target, neighbour = " AND t.resourceId = ?", " AND +p.resourceId = ?"
		args = append(args, r, r)
	}
	sql := s.sql.fill("SELECT " + s.sql.messageColumns("m") + " FROM json_each(?) AS j CROSS JOIN {m} AS t ON t.id = j.value" + target +
		" CROSS JOIN {m} AS m ON m.rowid IN (SELECT p.rowid FROM {m} AS p WHERE p.thread_id = t.thread_id" + neighbour +
		" AND (p.createdAt, p.rowid) " + side + " (t.createdAt, t.rowid) ORDER BY p.createdAt " + string(order) +
		", p.rowid " + string(order) + " LIMIT ?)")
	return d1.Statement{SQL: s.sql.selectMessages(sql), Args: append(args, limit)}
}

func (l *listing) result() (memory.MessagePage, error) {
	all, err := l.all.sorted(l.query.Order)
	if err != nil {
		return memory.MessagePage{}, err
	}
	page := memory.MessagePage{Messages: plain(all), Total: l.total, Page: l.query.Page, PerPage: l.query.PerPage}
	if l.query.PerPage == memory.All {
		page.Total = len(l.page)
	}
	page.HasMore = slices.ContainsFunc(l.rest, func(rid int64) bool { return !l.included[rid] })
	if page.HasMore && len(l.page) > 0 {
		last := l.all.byRID[l.page[len(l.page)-1]]
		for _, rid := range l.page { // rows may come in another order than they were chosen in
			if m := l.all.byRID[rid]; (cmpStored(m, last) > 0) == (l.query.Order == memory.Ascending) && m != last {
				last = m
			}
		}
		page.Cursor = cursor{At: timeText(last.CreatedAt), RID: last.rid}.String()
	}
	return page, nil
}
