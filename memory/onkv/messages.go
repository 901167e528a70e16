package onkv

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/skylite-go/skylite/memory"
)

// stored is a message, and where it stands.
type stored struct {
	memory.Message
	place place
}

func encodeMessage(m memory.Message) ([]byte, error) {
	content := m.Content
	m.Content = nil
	head, err := memory.EncodeJSON(m)
	if err != nil {
		return nil, err
	}
	const end = `"content":null}` // the last field; encoding content anew would change it
	return append(append(head[:len(head)-len(end)], `"content":`...), append(content, '}')...), nil
}

func decodeMessage(value []byte, p place) (m stored, err error) {
	if err = json.Unmarshal(value, &m.Message); err != nil {
		return m, fmt.Errorf("memory: the value of message %q: %w", p.id, err)
	}
	p.resource = m.ResourceID
	m.place = p
	return m, nil
}

// read reads messages at places. Those that are gone are left out.
func (s *Store) read(ctx context.Context, places []place) ([]stored, error) {
	keys := make([]string, len(places))
	for i, p := range places {
		keys[i] = s.messageKey(p)
	}
	entries, err := readMany(ctx, s.Messages, keys)
	if err != nil {
		return nil, err
	}
	all := make([]stored, 0, len(places))
	for i, p := range places {
		if entry := entries[keys[i]]; entry != nil {
			m, err := decodeMessage(entry.Value, p)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// find finds the places of messages by their ids.
func (s *Store) find(ctx context.Context, ids []string) ([]place, error) {
	keys := make([]string, 0, len(ids))
	for _, id := range ids {
		keys = append(keys, s.indexKey(id))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	entries, err := readMany(ctx, s.Messages, keys)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, key := range keys {
		if entry := entries[key]; entry != nil {
			p, ok := s.parseMessageKey(string(entry.Value))
			if !ok {
				return nil, fmt.Errorf("memory: the value of %q is not the key of a message", key)
			}
			places = append(places, p)
		}
	}
	return places, nil
}

func (s *Store) byIDs(ctx context.Context, ids []string) ([]stored, error) {
	places, err := s.find(ctx, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(places, place.compare)
	return s.read(ctx, places)
}

func plain(all []stored) []memory.Message {
	messages := make([]memory.Message, len(all))
	for i, m := range all {
		messages[i] = m.Message
	}
	return messages
}

// GetMessages implements [memory.Store].
func (s *Store) GetMessages(ctx context.Context, ids []string) ([]memory.Message, error) {
	if err := checkIDs(ids); err != nil || len(ids) == 0 {
		return nil, err
	}
	all, err := s.byIDs(ctx, ids)
	return plain(all), err
}

func checkIDs(ids []string) error {
	for i, id := range ids {
		if err := memory.CheckID(fmt.Sprintf("the message id at index %d", i), id); err != nil {
			return err
		}
	}
	return nil
}

// write adds the writes that bring a message from where it stands, if it does, to another
// place.
func (s *Store) write(c *changes, old *stored, m memory.Message, p place) error {
	value, err := encodeMessage(m)
	if err != nil {
		return err
	}
	key := s.messageKey(p)
	c.put(s.Messages, key, value, tag{Resource: p.resource})
	c.put(s.Messages, s.ownedKey(p), nil, tag{Thread: p.thread})
	c.put(s.Messages, s.indexKey(p.id), []byte(key), nil)
	if old != nil {
		if was := s.messageKey(old.place); was != key {
			c.remove(s.Messages, was)
		}
		if was := s.ownedKey(old.place); was != s.ownedKey(p) {
			c.remove(s.Messages, was)
		}
	}
	return nil
}

// touch adds the writes that move UpdatedAt of threads on.
func (s *Store) touch(c *changes, threads map[string]memory.Thread) {
	for _, id := range slices.Sorted(maps.Keys(threads)) {
		at := s.later(threads[id].UpdatedAt)
		c.put(s.Threads, s.touchedKey(id), []byte(at.Format(time.RFC3339Nano)), nil)
	}
}

// need reads threads, of which some must exist.
func (s *Store) need(ctx context.Context, must []string, others map[string]stored) (map[string]memory.Thread, error) {
	ids := slices.Clone(must)
	for _, m := range others {
		ids = append(ids, m.place.thread)
	}
	slices.Sort(ids)
	threads, err := s.threads(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	for _, id := range must {
		if _, ok := threads[id]; !ok {
			return nil, memory.NotFound("thread", id)
		}
	}
	return threads, nil
}

func byID(all []stored) map[string]stored {
	index := make(map[string]stored, len(all))
	for _, m := range all {
		index[m.ID] = m
	}
	return index
}

// SaveMessages implements [memory.Store].
func (s *Store) SaveMessages(ctx context.Context, messages []memory.Message) ([]memory.Message, error) {
	messages, err := memory.CheckMessages(messages, s.now())
	if err != nil || len(messages) == 0 {
		return nil, err
	}
	var ids, must []string
	for _, m := range messages {
		ids, must = append(ids, m.ID), append(must, m.ThreadID)
	}
	old, err := s.byIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	known := byID(old)
	threads, err := s.need(ctx, must, known)
	if err != nil {
		return nil, err
	}
	// Of a message that is there twice the last counts, in the place of the first.
	final := make(map[string]stored, len(messages))
	var order []string
	for i, m := range messages {
		before, exists := final[m.ID]
		if !exists {
			order = append(order, m.ID)
			before, exists = known[m.ID]
		}
		p := placeOf(m.ThreadID, m.ResourceID, m.ID, m.CreatedAt, 0)
		if exists {
			p.ms, p.order = before.place.ms, before.place.order
			m.CreatedAt = p.time()
			messages[i].CreatedAt = m.CreatedAt
		} else {
			p.order = s.order()
		}
		final[m.ID] = stored{m, p}
	}
	c := s.changes()
	for _, id := range order {
		var before *stored
		if m, ok := known[id]; ok {
			before = &m
		}
		if err := s.write(c, before, final[id].Message, final[id].place); err != nil {
			return nil, err
		}
	}
	s.touch(c, threads)
	return messages, c.commit(ctx)
}

// UpdateMessages implements [memory.Store].
func (s *Store) UpdateMessages(ctx context.Context, updates []memory.MessageUpdate) ([]memory.Message, error) {
	if err := memory.CheckUpdates(updates); err != nil || len(updates) == 0 {
		return nil, err
	}
	var ids, must []string
	for _, u := range updates {
		if ids = append(ids, u.ID); u.ThreadID != "" {
			must = append(must, u.ThreadID)
		}
	}
	all, err := s.byIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	old := byID(all)
	threads, err := s.need(ctx, must, old)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	changed := maps.Clone(old)
	for _, u := range updates {
		m, ok := changed[u.ID]
		if !ok {
			continue
		}
		m.ThreadID, m.ResourceID = cmp.Or(u.ThreadID, m.ThreadID), cmp.Or(u.ResourceID, m.ResourceID)
		m.Role, m.Type = cmp.Or(u.Role, m.Role), cmp.Or(u.Type, m.Type)
		if u.Content != nil {
			if m.Content, err = memory.MergeContent(m.Content, u.Content); err != nil {
				return nil, err
			}
		}
		m.place.thread, m.place.resource = m.ThreadID, m.ResourceID
		changed[u.ID] = m
	}
	c := s.changes()
	result := make([]memory.Message, 0, len(all))
	for _, before := range all {
		m := changed[before.ID]
		if err := s.write(c, &before, m.Message, m.place); err != nil {
			return nil, err
		}
		result = append(result, m.Message)
	}
	s.touch(c, threads)
	return result, c.commit(ctx)
}

// DeleteMessages implements [memory.Store].
func (s *Store) DeleteMessages(ctx context.Context, ids []string) error {
	if err := checkIDs(ids); err != nil || len(ids) == 0 {
		return err
	}
	all, err := s.byIDs(ctx, ids)
	if err != nil || len(all) == 0 {
		return err
	}
	threads, err := s.need(ctx, nil, byID(all))
	if err != nil {
		return err
	}
	c := s.changes()
	for _, m := range all {
		c.remove(s.Messages, s.ownedKey(m.place), s.messageKey(m.place), s.indexKey(m.ID))
	}
	s.touch(c, threads)
	return c.commit(ctx)
}
