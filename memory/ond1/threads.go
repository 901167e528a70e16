package ond1

import (
	"context"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// GetThread implements [memory.Store].
func (s *Store) GetThread(ctx context.Context, id string) (memory.Thread, error) {
	if err := memory.CheckID("the thread's id", id); err != nil {
		return memory.Thread{}, err
	}
	return s.oneThread(ctx, id, d1.Statement{SQL: s.sql.getThread, Args: []any{id}})
}

// oneThread runs a statement that returns a thread, if it exists.
func (s *Store) oneThread(ctx context.Context, id string, statement d1.Statement) (memory.Thread, error) {
	var threads []memory.Thread
	err := s.do(ctx, []d1.Statement{statement}, func(_ int, r *d1.Results) error { return appendThreads(&threads, r) })
	switch {
	case err != nil:
		return memory.Thread{}, err
	case len(threads) == 0:
		return memory.Thread{}, memory.NotFound("thread", id)
	}
	return threads[0], nil
}

func appendThreads(threads *[]memory.Thread, r *d1.Results) error {
	for r.Next() {
		t, err := readThread(r)
		if err != nil {
			return err
		}
		*threads = append(*threads, t)
	}
	return r.Err()
}

// SaveThread implements [memory.Store].
func (s *Store) SaveThread(ctx context.Context, t memory.Thread) (memory.Thread, error) {
	t, err := t.Check(s.cfg.Now())
	if err != nil {
		return memory.Thread{}, err
	}
	metadata, err := objectText(t.Metadata)
	if err != nil {
		return memory.Thread{}, err
	}
	text, _ := metadata.(string)
	if err := checkRow("the thread", len(t.ID)+len(t.ResourceID)+len(t.Title)+len(text), ""); err != nil {
		return memory.Thread{}, err
	}
	var archived any
	if t.ArchivedAt != nil {
		archived = timeText(*t.ArchivedAt)
	}
	err = s.do(ctx, []d1.Statement{{SQL: s.sql.saveThread, Args: []any{t.ID, t.ResourceID, t.Title, metadata,
		timeText(t.CreatedAt), timeText(t.UpdatedAt), archived}}}, nil)
	if err != nil {
		return memory.Thread{}, err
	}
	return t, nil
}

// checkRow reports a row that is too long.
func checkRow(what string, size int, hint string) error {
	if size > MaxRowBytes {
		return &memory.TooLargeError{What: what, Bytes: size, Limit: MaxRowBytes, Hint: hint}
	}
	return nil
}

// UpdateThread implements [memory.Store]. It is one statement, so that concurrent merges
// of metadata lose nothing.
func (s *Store) UpdateThread(ctx context.Context, id string, u memory.ThreadUpdate) (memory.Thread, error) {
	err := memory.CheckID("the thread's id", id)
	if err == nil {
		u, err = u.Check()
	}
	if err != nil {
		return memory.Thread{}, err
	}
	var title, patch, archived any
	if u.Title != nil {
		title = *u.Title
	}
	if u.Metadata != nil {
		if patch, err = objectPatch(u.Metadata); err != nil {
			return memory.Thread{}, err
		}
	}
	sets := u.ArchivedAt != nil
	if sets && !u.ArchivedAt.IsZero() {
		archived = timeText(*u.ArchivedAt)
	}
	return s.oneThread(ctx, id, d1.Statement{SQL: s.sql.updateThread, Args: []any{id, title, patch, sets, archived, s.now()}})
}

// DeleteThread implements [memory.Store].
func (s *Store) DeleteThread(ctx context.Context, id string) error {
	if err := memory.CheckID("the thread's id", id); err != nil {
		return err
	}
	statements := []d1.Statement{
		{SQL: s.sql.deleteThreadMessages, Args: []any{id}},
		{SQL: s.sql.deleteThread, Args: []any{id}},
	}
	if !s.sql.mastra {
		statements = append([]d1.Statement{{SQL: s.sql.deleteThreadChunks, Args: []any{id}}}, statements...)
	}
	return s.do(ctx, statements, nil)
}

// where is a condition with its arguments.
type where struct {
	conditions []string
	args       []any
}

func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// filter adds the condition that JSON, or an object in it, has all members of a filter
// with their values and types. An integer and a real of the same value are the same.
func (w *where) filter(column, path string, filter memory.Object) error {
	if len(filter) == 0 {
		return nil
	}
	text, err := memory.EncodeJSON(filter)
	if err != nil {
		return err
	}
	w.and("NOT EXISTS (SELECT 1 FROM json_each(?) AS f WHERE NOT EXISTS (SELECT 1 FROM json_each("+
		object(column)+", '"+path+"') AS c WHERE c.key = f.key AND c.atom IS f.atom AND "+
		"replace(c.type, 'real', 'integer') = replace(f.type, 'real', 'integer')"+
		" AND c.type NOT IN ('object', 'array')))", string(text))
	return nil
}

// ListThreads implements [memory.Store].
func (s *Store) ListThreads(ctx context.Context, q memory.ThreadQuery) (memory.ThreadPage, error) {
	q, err := q.Check()
	if err != nil {
		return memory.ThreadPage{}, err
	}
	page := memory.ThreadPage{Page: q.Page, PerPage: q.PerPage, Total: -1}
	if q.PerPage == memory.None {
		page.Total = 0
		return page, nil
	}
	var w where
	if q.ResourceID != "" {
		w.and("t.resourceId = ?", q.ResourceID)
	}
	if q.Archived != nil {
		w.and(map[bool]string{true: "t.archivedAt IS NOT NULL", false: "t.archivedAt IS NULL"}[*q.Archived])
	}
	if err := w.filter("t.metadata", "$", q.Metadata); err != nil {
		return memory.ThreadPage{}, err
	}
	statements := []d1.Statement{threadPage(s.sql.fill("SELECT "+threadColumns+" FROM {t} AS t"), w, q)}
	if q.Total && q.PerPage != memory.All {
		statements = append(statements, d1.Statement{SQL: s.sql.fill("SELECT count(*) FROM {t} AS t") + w.String(), Args: w.args})
	}
	err = s.do(ctx, statements, func(i int, r *d1.Results) error {
		if i == 0 {
			return appendThreads(&page.Threads, r)
		}
		return scanOne(r, &page.Total)
	})
	if err != nil {
		return memory.ThreadPage{}, err
	}
	if q.PerPage == memory.All {
		page.Total = len(page.Threads)
	} else if len(page.Threads) > q.PerPage {
		page.Threads, page.HasMore = page.Threads[:q.PerPage], true
	}
	return page, nil
}

// threadPage is the statement of a page, with one thread more than it has.
func threadPage(sql string, w where, q memory.ThreadQuery) d1.Statement {
	order := " " + string(q.Order)
	sql += w.String() + " ORDER BY t." + string(q.OrderBy) + order + ", t.rowid" + order
	if q.PerPage == memory.All {
		return d1.Statement{SQL: sql, Args: w.args}
	}
	return d1.Statement{SQL: sql + " LIMIT ? OFFSET ?", Args: append(append([]any(nil), w.args...), q.PerPage+1, q.Page*q.PerPage)}
}

func scanOne(r *d1.Results, dest any) error {
	for r.Next() {
		if err := r.Scan(dest); err != nil {
			return err
		}
	}
	return r.Err()
}
