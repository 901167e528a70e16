package ond1

import (
	"context"
	"fmt"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// CloneThread implements [memory.Store]. It is one request; the database copies.
func (s *Store) CloneThread(ctx context.Context, opts memory.CloneOptions) (memory.Clone, error) {
	o, err := opts.Check()
	if err != nil {
		return memory.Clone{}, err
	}
	source, args, err := s.cloned(o)
	if err != nil {
		return memory.Clone{}, err
	}
	statements, err := s.cloneStatements(o, source, args)
	if err != nil {
		return memory.Clone{}, err
	}
	var clone memory.Clone
	var old []string
	g := s.gather()
	err = s.do(ctx, statements, func(i int, r *d1.Results) error {
		switch i {
		case len(statements) - 3:
			for r.Next() {
				var id string
				if err := r.Scan(&id); err != nil {
					return err
				}
				old = append(old, id)
			}
			return r.Err()
		case len(statements) - 2:
			var threads []memory.Thread
			err := appendThreads(&threads, r)
			if err == nil && len(threads) == 1 {
				clone.Thread = threads[0]
			}
			return err
		case len(statements) - 1:
			_, err := g.read(r)
			return err
		}
		return nil
	})
	if err != nil {
		return memory.Clone{}, err
	}
	all, err := g.sorted(memory.Ascending)
	if err != nil {
		return memory.Clone{}, err
	}
	if len(all) != len(old) {
		return memory.Clone{}, fmt.Errorf("memory: thread %q was cloned, with %d messages of %d", o.SourceID, len(all), len(old))
	}
	clone.Messages, clone.MessageIDs = plain(all), make(map[string]string, len(all))
	for i, m := range all {
		clone.MessageIDs[old[i]] = m.ID
	}
	return clone, nil
}

// cloned is a query for the messages to copy, as m.
func (s *Store) cloned(o memory.CloneOptions) (sql string, args []any, err error) {
	q, err := memory.MessageQuery{ThreadIDs: []string{o.SourceID}, Start: o.Start, End: o.End}.Check()
	if err != nil {
		return "", nil, err
	}
	w, err := s.chosen(q)
	if err != nil {
		return "", nil, err
	}
	if o.MessageIDs != nil {
		ids, err := memory.EncodeJSON(o.MessageIDs)
		if err != nil {
			return "", nil, err
		}
		if err := checkRow("the list of messages to clone", len(ids), "clone fewer at a time"); err != nil {
			return "", nil, err
		}
		w.and("m.id IN (SELECT value FROM json_each(?))", string(ids))
	}
	sql = s.sql.fill("SELECT m.rowid AS rid, m.* FROM {m} AS m") + w.String()
	args = w.args
	if o.Last > 0 {
		sql += " ORDER BY m.createdAt DESC, m.rowid DESC LIMIT ?"
		args = append(args, o.Last)
	}
	return "(" + sql + ")", args, nil
}

// newID is an expression: a random UUID of version 4.
const newID = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || " +
	"substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"

// cloneStatements ends with three that return the ids that were copied, the new thread and
// its messages.
func (s *Store) cloneStatements(o memory.CloneOptions, source string, args []any) ([]d1.Statement, error) {
	metadata := memory.Object{}
	for key, value := range o.Metadata {
		metadata[key] = value
	}
	now := s.now()
	metadata["clone"] = map[string]any{"sourceThreadId": o.SourceID, "clonedAt": now}
	text, err := memory.EncodeJSON(metadata)
	if err != nil {
		return nil, err
	}
	f := s.sql.fill
	with := func(sql string, before []any, after ...any) d1.Statement {
		return d1.Statement{SQL: sql, Args: append(append(append([]any{}, before...), args...), after...)}
	}
	ordered := " ORDER BY m.createdAt, m.rid"
	columns, values := "id, thread_id, content, role, type, createdAt, resourceId", newID+", ?, m.content, m.role, m.type, m.createdAt, coalesce(?, m.resourceId)"
	if !s.sql.mastra {
		columns, values = columns+", chunked", values+", m.chunked"
	}
	ids, err := memory.EncodeJSON([]string{o.SourceID})
	if err != nil {
		return nil, err
	}
	statements := []d1.Statement{
		{SQL: s.sql.guardThreads, Args: []any{string(ids)}},
		{SQL: f("SELECT " + raise("is-thread", "id") + " FROM {t} WHERE id = ?"), Args: []any{o.ID}},
		with(f("WITH last AS (SELECT m.id FROM "+source+" AS m"+" ORDER BY m.createdAt DESC, m.rid DESC LIMIT 1) "+
			"INSERT INTO {t} ("+threadColumns+") SELECT ?, coalesce(?, resourceId), coalesce(?, 'Clone of ' || title), "+
			"CASE WHEN (SELECT id FROM last) IS NULL THEN ? ELSE json_set(?, '$.clone.lastMessageId', (SELECT id FROM last)) END, ?, ?, NULL FROM {t} WHERE id = ?"),
			nil, o.ID, orNull(o.ResourceID), orNull(o.Title), string(text), string(text), now, now, o.SourceID),
		with(f("INSERT INTO {m} ("+columns+") SELECT "+values+" FROM "+source+" AS m"+ordered), []any{o.ID, orNull(o.ResourceID)}),
	}
	if !s.sql.mastra {
		statements = append(statements, with(f("INSERT INTO {c} (message_id, n, data) SELECT d.id, c.n, c.data FROM "+
			"(SELECT m.id, row_number() OVER ("+ordered[1:]+") AS pos FROM "+source+" AS m) AS s JOIN "+
			"(SELECT id, row_number() OVER (ORDER BY createdAt, rowid) AS pos FROM {m} WHERE thread_id = ?) AS d ON d.pos = s.pos JOIN {c} AS c ON c.message_id = s.id"),
			nil, o.ID))
	}
	return append(statements,
		with("SELECT m.id FROM "+source+" AS m"+ordered, nil),
		d1.Statement{SQL: s.sql.getThread, Args: []any{o.ID}},
		d1.Statement{SQL: s.sql.selectMessages(f("SELECT " + s.sql.messageColumns("m") + " FROM {m} AS m WHERE m.thread_id = ?")), Args: []any{o.ID}},
	), nil
}
