package ond1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// timeForm is how times are stored: as JavaScript's toISOString writes them.
const timeForm = "2006-01-02T15:04:05.000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeForm) }

func (s *Store) now() string { return timeText(s.cfg.Now()) }

// orNull is nil for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// objectText is JSON, or nil for no object.
func objectText(o memory.Object) (any, error) {
	if o == nil {
		return nil, nil
	}
	text, err := memory.EncodeJSON(o)
	return string(text), err
}

func readObject(text []byte) (memory.Object, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var o memory.Object
	err := json.Unmarshal(text, &o)
	return o, err
}

// patchText returns the changes that [merge] makes to an object.
func patchText(changes [][2]string) (string, error) {
	if changes == nil {
		changes = [][2]string{}
	}
	text, err := memory.EncodeJSON(changes)
	return string(text), err
}

// objectPatch is the patch that merges an object.
func objectPatch(o memory.Object) (string, error) {
	var changes [][2]string
	for key, value := range o {
		text, err := memory.EncodeJSON(value)
		if err != nil {
			return "", err
		}
		path, err := pathOf("$", key)
		if err != nil {
			return "", err
		}
		changes = append(changes, [2]string{path, string(text)})
	}
	slices.SortFunc(changes, func(a, b [2]string) int { return bytes.Compare([]byte(a[0]), []byte(b[0])) })
	return patchText(changes)
}

// pathOf is the path of a key: quoted as in JSON.
func pathOf(base, key string) (string, error) {
	text, err := memory.EncodeJSON(key)
	return base + "." + string(text), err
}

// contentPatch is the patch that merges content into a message's.
func contentPatch(content json.RawMessage) (string, error) {
	members, err := memory.Members(content)
	if err != nil {
		return "", err
	}
	var changes [][2]string
	add := func(base string, members []memory.Member) error {
		for _, m := range members {
			path, err := pathOf(base, m.Key)
			if err != nil {
				return err
			}
			changes = append(changes, [2]string{path, string(m.Value)})
		}
		return nil
	}
	for _, m := range members {
		inner, err := memory.Members(m.Value)
		if m.Key == "metadata" && err == nil && len(inner) > 0 {
			err = add(`$."metadata"`, inner)
		} else {
			err = add("$", []memory.Member{m})
		}
		if err != nil {
			return "", err
		}
	}
	return patchText(changes)
}

// maxGroup is how long the JSON of one parameter is made; D1 takes 2,000,000 bytes.
const maxGroup = 900_000

// groups cuts ids into JSON arrays that are short enough to be bound.
func groups(ids []string) []string {
	var all []string
	buf := []byte{'['}
	for _, id := range ids {
		text, _ := memory.EncodeJSON(id) // ids were checked to be UTF-8
		if len(buf) > 1 {
			if len(buf)+len(text) > maxGroup {
				all = append(all, string(append(buf, ']')))
				buf = []byte{'['}
			} else {
				buf = append(buf, ',')
			}
		}
		buf = append(buf, text...)
	}
	return append(all, string(append(buf, ']')))
}

func readThread(r *d1.Results) (memory.Thread, error) {
	var t memory.Thread
	var resource, title *string
	var metadata []byte
	var created, updated, archived *string
	if err := r.Scan(&t.ID, &resource, &title, &metadata, &created, &updated, &archived); err != nil {
		return t, err
	}
	t.ResourceID, t.Title = deref(resource), deref(title)
	var err error
	if t.Metadata, err = readObject(metadata); err != nil {
		return t, fmt.Errorf("memory: the metadata of thread %q is not a JSON object: %w", t.ID, err)
	}
	if t.CreatedAt, err = readTime(created); err == nil {
		t.UpdatedAt, err = readTime(updated)
	}
	if err == nil && archived != nil && *archived != "" {
		var at time.Time
		at, err = readTime(archived)
		t.ArchivedAt = &at
	}
	if err != nil {
		return t, fmt.Errorf("memory: a time of thread %q: %w", t.ID, err)
	}
	return t, nil
}

func readMetadata(r *d1.Results) (memory.Metadata, error) {
	var m memory.Metadata
	var working, created, updated *string
	var metadata []byte
	if err := r.Scan(&m.ResourceID, &working, &metadata, &created, &updated); err != nil {
		return m, err
	}
	m.WorkingMemory = deref(working)
	var err error
	if m.Metadata, err = readObject(metadata); err != nil {
		return m, fmt.Errorf("memory: the metadata of resource %q is not a JSON object: %w", m.ResourceID, err)
	}
	if m.CreatedAt, err = readTime(created); err == nil {
		m.UpdatedAt, err = readTime(updated)
	}
	if err != nil {
		return m, fmt.Errorf("memory: a time of resource %q: %w", m.ResourceID, err)
	}
	return m, nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func readTime(text *string) (time.Time, error) {
	if text == nil || *text == "" {
		return time.Time{}, nil
	}
	t, err := d1.ParseTime(*text)
	return t.UTC().Truncate(time.Millisecond), err
}

// encodeContent returns content as it is stored.
func (s *Store) encodeContent(m memory.Message) (string, error) {
	if !s.sql.mastra {
		return string(m.Content), nil
	}
	content := bytes.TrimLeft(m.Content, " \t\r\n")
	switch content[0] {
	case '{', '[':
		return string(content), nil
	case '"':
		var text string
		if err := json.Unmarshal(content, &text); err != nil {
			return "", err
		}
		if decoded := decodeContent([]byte(text), true); string(decoded) == mustQuote(text) {
			return text, nil
		}
		return mustQuote(text), nil // the text itself looks like JSON
	}
	return "", memory.Invalidf("message %q: with LayoutMastra the content must be a JSON object, an array or a string, and not %.20s", m.ID, content)
}

func mustQuote(text string) string {
	quoted, err := memory.EncodeJSON(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return string(quoted)
}

// decodeContent returns the JSON that a column's text stands for.
func decodeContent(text []byte, mastra bool) json.RawMessage {
	if !mastra || len(text) > 0 && (text[0] == '{' || text[0] == '[' || text[0] == '"') && json.Valid(text) {
		return append(json.RawMessage(nil), text...)
	}
	return json.RawMessage(mustQuote(string(text)))
}
