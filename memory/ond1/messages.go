package ond1

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// stored is a message as it was read.
type stored struct {
	memory.Message
	rid     int64
	chunked string
	stub    string // the column content, if chunked
	chunks  []chunk
}

type chunk struct {
	n    int64
	data string
}

// gathered are messages that were read, each once.
type gathered struct {
	mastra bool
	byRID  map[int64]*stored
}

func (s *Store) gather() *gathered {
	return &gathered{mastra: s.sql.mastra, byRID: map[int64]*stored{}}
}

// read reads the rows of a statement of [texts.selectMessages], and returns the rowids in
// the order in which they first came.
func (g *gathered) read(r *d1.Results) (rids []int64, err error) {
	here := map[int64]bool{}
	for r.Next() {
		var m stored
		var resource, created, chunked *string
		var n *int64
		var content, data []byte
		if err := r.Scan(&m.rid, &m.ID, &m.ThreadID, &resource, &m.Role, &m.Type, &created, &content, &chunked, &n, &data); err != nil {
			return nil, err
		}
		known := g.byRID[m.rid]
		if known == nil {
			if m.CreatedAt, err = readTime(created); err != nil {
				return nil, fmt.Errorf("memory: the time of message %q: %w", m.ID, err)
			}
			if m.Type == "v2" {
				m.Type = ""
			}
			m.ResourceID, m.chunked = deref(resource), deref(chunked)
			if m.chunked == "" {
				m.Content = decodeContent(content, g.mastra)
			} else {
				m.stub = string(content)
			}
			known = &m
			g.byRID[m.rid] = known
		}
		if n != nil && !slices.ContainsFunc(known.chunks, func(c chunk) bool { return c.n == *n }) {
			known.chunks = append(known.chunks, chunk{*n, string(data)})
		}
		if !here[m.rid] {
			here[m.rid] = true
			rids = append(rids, m.rid)
		}
	}
	return rids, r.Err()
}

// sorted returns all messages in their order.
func (g *gathered) sorted(order memory.Order) ([]*stored, error) {
	all := make([]*stored, 0, len(g.byRID))
	for _, m := range g.byRID {
		if m.chunked != "" {
			slices.SortFunc(m.chunks, func(a, b chunk) int { return cmp.Compare(a.n, b.n) })
			var content strings.Builder
			for _, c := range m.chunks {
				content.WriteString(c.data)
			}
			if m.Content = json.RawMessage(content.String()); !json.Valid(m.Content) {
				return nil, fmt.Errorf("memory: chunks of message %q are missing", m.ID)
			}
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *stored) int {
		if order == memory.Descending {
			return cmpStored(b, a)
		}
		return cmpStored(a, b)
	})
	return all, nil
}

// cmpStored compares the places of two messages in the order.
func cmpStored(a, b *stored) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.rid, b.rid))
}

func plain(all []*stored) []memory.Message {
	messages := make([]memory.Message, len(all))
	for i, m := range all {
		messages[i] = m.Message
	}
	return messages
}

func checkIDs(ids []string) error {
	for i, id := range ids {
		if err := memory.CheckID(fmt.Sprintf("the message id at index %d", i), id); err != nil {
			return err
		}
	}
	return nil
}

// GetMessages implements [memory.Store].
func (s *Store) GetMessages(ctx context.Context, ids []string) ([]memory.Message, error) {
	if err := checkIDs(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	all, err := s.byIDs(ctx, ids)
	return plain(all), err
}

func (s *Store) byIDs(ctx context.Context, ids []string) ([]*stored, error) {
	var statements []d1.Statement
	for _, group := range groups(ids) {
		statements = append(statements, d1.Statement{SQL: s.sql.getMessages, Args: []any{group}})
	}
	g := s.gather()
	err := s.do(ctx, statements, func(_ int, r *d1.Results) error {
		_, err := g.read(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return g.sorted(memory.Ascending)
}

// DeleteMessages implements [memory.Store].
func (s *Store) DeleteMessages(ctx context.Context, ids []string) error {
	if err := checkIDs(ids); err != nil || len(ids) == 0 {
		return err
	}
	var statements []d1.Statement
	for _, group := range groups(ids) {
		statements = append(statements, d1.Statement{SQL: s.sql.bumpOfMessages, Args: []any{s.now(), group}})
		if !s.sql.mastra {
			statements = append(statements, d1.Statement{SQL: s.sql.deleteChunks, Args: []any{group}})
		}
	}
	for _, group := range groups(ids) {
		statements = append(statements, d1.Statement{SQL: s.sql.deleteMessages, Args: []any{group}})
	}
	return s.do(ctx, statements, nil)
}

// UpdateMessages implements [memory.Store]. It is one request, but for messages in chunks:
// the database cannot merge their content, so that they are read first, and written if
// nobody has written them meanwhile.
func (s *Store) UpdateMessages(ctx context.Context, updates []memory.MessageUpdate) ([]memory.Message, error) {
	if err := memory.CheckUpdates(updates); err != nil || len(updates) == 0 {
		return nil, err
	}
	for n := 0; ; n++ {
		messages, err := s.tryUpdate(ctx, updates)
		switch {
		case errors.Is(err, errChunked):
			messages, err = s.updateChunked(ctx, updates)
		case isSQL(err, "string or blob too big"):
			err = fmt.Errorf("memory: an updated message would be over the limit of %d bytes: %w", d1.MaxValueBytes, err)
		}
		if !errors.Is(err, errConflict) || n == 20 {
			return messages, err
		}
		select {
		case <-time.After(time.Duration(n) * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// updateFrame returns the statements around an update, and the ids of its messages.
func (s *Store) updateFrame(updates []memory.MessageUpdate) (before, after []d1.Statement, ids []string) {
	var merged, threads []string
	for _, u := range updates {
		ids = append(ids, u.ID)
		if u.Content != nil {
			merged = append(merged, u.ID)
		}
		if u.ThreadID != "" {
			threads = append(threads, u.ThreadID)
		}
	}
	if threads != nil {
		for _, group := range groups(threads) {
			before = append(before, d1.Statement{SQL: s.sql.guardThreads, Args: []any{group}})
		}
	}
	if merged != nil && !s.sql.mastra {
		for _, group := range groups(merged) {
			before = append(before, d1.Statement{SQL: s.sql.guardChunked, Args: []any{group}})
		}
	}
	for _, group := range groups(ids) {
		bump := d1.Statement{SQL: s.sql.bumpOfMessages, Args: []any{s.now(), group}}
		before = append(before, bump)
		if threads != nil { // those that messages were moved to
			after = append(after, bump)
		}
	}
	return before, after, ids
}

func (s *Store) tryUpdate(ctx context.Context, updates []memory.MessageUpdate) ([]memory.Message, error) {
	statements, after, ids := s.updateFrame(updates)
	for _, u := range updates {
		var patch any
		if u.Content != nil {
			text, err := contentPatch(u.Content)
			if err != nil {
				return nil, memory.Invalidf("message %q: the content: %v", u.ID, err)
			}
			if err := checkRow(fmt.Sprintf("the update of message %.60q", u.ID), len(text), ""); err != nil {
				return nil, err
			}
			patch = text
		}
		statements = append(statements, d1.Statement{SQL: s.sql.updateMessage, Args: []any{u.ID,
			orNull(u.ThreadID), orNull(u.ResourceID), orNull(u.Role), orNull(u.Type), patch}})
	}
	statements = append(statements, after...)
	first := len(statements)
	for _, group := range groups(ids) {
		statements = append(statements, d1.Statement{SQL: s.sql.getMessages, Args: []any{group}})
	}
	g := s.gather()
	err := s.do(ctx, statements, func(i int, r *d1.Results) error {
		if i < first {
			return nil
		}
		_, err := g.read(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	all, err := g.sorted(memory.Ascending)
	return plain(all), err
}

// updateChunked merges in this process, and writes if nothing has changed.
func (s *Store) updateChunked(ctx context.Context, updates []memory.MessageUpdate) ([]memory.Message, error) {
	ids := make([]string, len(updates))
	for i, u := range updates {
		ids[i] = u.ID
	}
	all, err := s.byIDs(ctx, ids)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var guards []d1.Statement
	byID := map[string]*stored{}
	for _, m := range all {
		byID[m.ID] = m
		var content any
		if m.chunked == "" {
			content = string(m.Content)
		}
		guards = append(guards, d1.Statement{SQL: s.sql.guardVersion, Args: []any{m.ID, orNull(m.chunked), content}})
	}
	for _, u := range updates {
		m := byID[u.ID]
		if m == nil {
			continue
		}
		m.ThreadID, m.ResourceID = cmp.Or(u.ThreadID, m.ThreadID), cmp.Or(u.ResourceID, m.ResourceID)
		m.Role, m.Type = cmp.Or(u.Role, m.Role), cmp.Or(u.Type, m.Type)
		if u.Content != nil {
			if m.Content, err = memory.MergeContent(m.Content, u.Content); err != nil {
				return nil, err
			}
		}
	}
	messages := plain(all)
	threads, ids := idsOf(messages)
	for _, group := range groups(ids) {
		guards = append(guards, d1.Statement{SQL: s.sql.bumpOfMessages, Args: []any{s.now(), group}})
	}
	return s.save(ctx, guards, threads, messages)
}
