package ond1

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// SaveMessages implements [memory.Store]. Any number of messages is one request.
func (s *Store) SaveMessages(ctx context.Context, messages []memory.Message) ([]memory.Message, error) {
	messages, err := memory.CheckMessages(messages, s.cfg.Now())
	if err != nil || len(messages) == 0 {
		return nil, err
	}
	threads, ids := idsOf(messages)
	var statements []d1.Statement
	for _, group := range groups(ids) { // the threads that messages are moved from
		statements = append(statements, d1.Statement{SQL: s.sql.bumpOfMessages, Args: []any{s.now(), group}})
	}
	return s.save(ctx, statements, threads, messages)
}

// ReplaceMessages implements [memory.Replacer].
func (s *Store) ReplaceMessages(ctx context.Context, threadID string, messages []memory.Message) ([]memory.Message, error) {
	if err := memory.CheckID("the thread's id", threadID); err != nil {
		return nil, err
	}
	messages, err := memory.CheckMessages(messages, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	for i, m := range messages {
		if m.ThreadID != threadID {
			return nil, memory.Invalidf("message at index %d is of the thread %q, and not of %q", i, m.ThreadID, threadID)
		}
	}
	var statements []d1.Statement
	_, ids := idsOf(messages)
	for _, group := range groups(ids) {
		statements = append(statements, d1.Statement{SQL: s.sql.bumpOfMessages, Args: []any{s.now(), group}})
	}
	if !s.sql.mastra {
		statements = append(statements, d1.Statement{SQL: s.sql.deleteThreadChunks, Args: []any{threadID}})
	}
	statements = append(statements, d1.Statement{SQL: s.sql.deleteThreadMessages, Args: []any{threadID}})
	return s.save(ctx, statements, []string{threadID}, messages)
}

// idsOf returns the threads of messages, each once, and their ids.
func idsOf(messages []memory.Message) (threads, ids []string) {
	seen := map[string]bool{}
	for _, m := range messages {
		ids = append(ids, m.ID)
		if !seen[m.ThreadID] {
			seen[m.ThreadID] = true
			threads = append(threads, m.ThreadID)
		}
	}
	return threads, ids
}

// save stores messages after other statements, if their threads exist.
func (s *Store) save(ctx context.Context, before []d1.Statement, threads []string, messages []memory.Message) ([]memory.Message, error) {
	var statements []d1.Statement
	for _, group := range groups(threads) {
		statements = append(statements, d1.Statement{SQL: s.sql.guardThreads, Args: []any{group}})
	}
	statements = append(statements, before...)
	for _, group := range groups(threads) {
		statements = append(statements, d1.Statement{SQL: s.sql.bumpThreads, Args: []any{s.now(), group}})
	}
	first := len(statements)
	inserts, after, err := s.inserts(messages)
	if err != nil {
		return nil, err
	}
	statements = append(append(statements, inserts...), after...)
	created := make(map[string]time.Time, len(messages))
	err = s.do(ctx, statements, func(i int, r *d1.Results) error {
		if i < first || i >= first+len(inserts) {
			return nil
		}
		for r.Next() {
			var id string
			var at *string
			if err := r.Scan(&id, &at); err != nil {
				return err
			}
			t, err := readTime(at)
			if err != nil {
				return err
			}
			created[id] = t
		}
		return r.Err()
	})
	if err != nil {
		return nil, err
	}
	for i := range messages {
		if at, ok := created[messages[i].ID]; ok {
			messages[i].CreatedAt = at
		}
	}
	return messages, nil
}

// inserts returns the statements that store messages, in their order: as many as fit into
// one parameter together, and long ones by themselves. after has those for their chunks.
func (s *Store) inserts(messages []memory.Message) (inserts, after []d1.Statement, err error) {
	var rows [][]any
	size := 0
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		text, err := memory.EncodeJSON(rows)
		inserts = append(inserts, d1.Statement{SQL: s.sql.saveMany, Args: []any{string(text)}})
		rows, size = nil, 0
		return err
	}
	last := map[string]int{}
	for i, m := range messages {
		last[m.ID] = i
	}
	for i, m := range messages {
		row, chunks, err := s.row(m)
		if err != nil {
			return nil, nil, err
		}
		if !s.sql.mastra && last[m.ID] == i {
			for n, data := range chunks {
				after = append(after, d1.Statement{SQL: s.sql.saveChunk, Args: []any{m.ID, n, data}})
			}
		}
		length := len(row[2].(string)) // in JSON it is longer, but hardly twice
		if size += 2*length + 200; length > maxGroup/2 || size > maxGroup {
			if err := flush(); err != nil {
				return nil, nil, err
			}
			size = 2*length + 200
		}
		if length > maxGroup/2 {
			inserts = append(inserts, d1.Statement{SQL: s.sql.saveOne, Args: row})
			size = 0
			continue
		}
		rows = append(rows, row)
	}
	if err := flush(); err != nil {
		return nil, nil, err
	}
	if !s.sql.mastra { // chunks of what was there before
		_, ids := idsOf(messages)
		var remove []d1.Statement
		for _, group := range groups(ids) {
			remove = append(remove, d1.Statement{SQL: s.sql.deleteChunks, Args: []any{group}})
		}
		after = append(remove, after...)
	}
	return inserts, after, nil
}

// row returns a message's columns, and its chunks if it is too long for them.
func (s *Store) row(m memory.Message) (row []any, chunks []string, err error) {
	content, err := s.encodeContent(m)
	if err != nil {
		return nil, nil, err
	}
	kind := m.Type
	if kind == "" {
		kind = "v2"
	}
	row = []any{m.ID, m.ThreadID, content, m.Role, kind, timeText(m.CreatedAt), m.ResourceID}
	if !s.sql.mastra {
		row = append(row, nil)
	}
	size := len(m.ID) + len(m.ThreadID) + len(content) + len(m.Role) + len(kind) + len(m.ResourceID)
	if size <= MaxRowBytes {
		return row, nil, nil
	}
	if s.cfg.Large != LargeChunk || size-len(content) > MaxRowBytes/2 {
		hint := "Large: LargeChunk stores such messages in chunks"
		if s.sql.mastra {
			hint = "keep what is attached elsewhere, and its URL in the message"
		}
		return nil, nil, checkRow(fmt.Sprintf("message %.60q", m.ID), size, hint)
	}
	row[2], row[7] = stub(m.Content), memory.NewID()
	return row, cut(content), nil
}

// stub is what stands in place of content in chunks: its metadata, which filters look at.
func stub(content json.RawMessage) string {
	members, err := memory.Members(content)
	if err == nil {
		for _, m := range members {
			if m.Key == "metadata" && len(m.Value) < maxGroup/4 {
				return `{"metadata":` + string(m.Value) + `}`
			}
		}
	}
	return "{}"
}

// chunkBytes is how long a chunk is, about: it ends where a character does.
const chunkBytes = 1_000_000

func cut(text string) (chunks []string) {
	for len(text) > chunkBytes {
		n := chunkBytes
		for text[n]&0xc0 == 0x80 { // within a character
			n--
		}
		chunks = append(chunks, text[:n])
		text = text[n:]
	}
	return append(chunks, text)
}
