package onkv

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/kv"
)

var escaper, unescaper = strings.NewReplacer("%", "%25", ":", "%3A"), strings.NewReplacer("%3A", ":", "%25", "%")

func escape(id string) string { return escaper.Replace(id) }

func (s *Store) threadKey(id string) string  { return s.prefix + "threads:" + escape(id) }
func (s *Store) touchedKey(id string) string { return s.prefix + "touched:" + escape(id) }
func (s *Store) indexKey(id string) string   { return s.prefix + "message:" + escape(id) }
func (s *Store) resourceKey(resource, thread string) string {
	return s.prefix + "resources:" + escape(resource) + ":" + escape(thread)
}
func (s *Store) metadataKey(resource string) string {
	return s.prefix + "metadata:" + escape(resource)
}

// epoch is the year 1 in milliseconds before 1970: times in keys count from there, so
// that none is negative but those of the year 0, which count as its end.
const epoch = 62_135_596_800_000

// place is where a message stands: its thread, and its place in the order.
type place struct {
	thread, resource, id string
	ms, order            int64
}

func placeOf(thread, resource, id string, at time.Time, order int64) place {
	return place{thread: thread, resource: resource, id: id, ms: max(at.UnixMilli()+epoch, 0), order: order}
}

// position is the part of a key that orders.
func (p place) position() string { return fmt.Sprintf("%015d:%016x:%s", p.ms, p.order, escape(p.id)) }

func (p place) time() time.Time { return time.UnixMilli(p.ms - epoch).UTC() }

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.ms, q.ms), cmp.Compare(p.order, q.order), cmp.Compare(p.id, q.id))
}

func (s *Store) threadPrefix(thread string) string {
	return s.prefix + "messages:" + escape(thread) + ":"
}
func (s *Store) ownedPrefix(resource string) string {
	return s.prefix + "owned:" + escape(resource) + ":"
}
func (s *Store) messageKey(p place) string { return s.threadPrefix(p.thread) + p.position() }
func (s *Store) ownedKey(p place) string   { return s.ownedPrefix(p.resource) + p.position() }

// tag is the metadata of a key: what the key itself does not say.
type tag struct {
	Thread   string `json:"t,omitempty"`
	Resource string `json:"r,omitempty"`
}

// parsePosition reads the end of a key.
func parsePosition(text string) (p place, ok bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return p, false
	}
	var err1, err2 error
	p.ms, err1 = strconv.ParseInt(parts[0], 10, 64)
	p.order, err2 = strconv.ParseInt(parts[1], 16, 64)
	p.id = unescaper.Replace(parts[2])
	return p, err1 == nil && err2 == nil
}

// parseMessageKey reads the key of a message.
func (s *Store) parseMessageKey(key string) (p place, ok bool) {
	rest, ok := strings.CutPrefix(key, s.prefix+"messages:")
	if !ok {
		return p, false
	}
	thread, position, ok := strings.Cut(rest, ":")
	if !ok {
		return p, false
	}
	p, ok = parsePosition(position)
	p.thread = unescaper.Replace(thread)
	return p, ok
}

// listed reads a key of a list of messages: those of a thread, or of a resource.
func (s *Store) listed(key kv.Key, prefix, thread, resource string) (p place, err error) {
	p, ok := parsePosition(strings.TrimPrefix(key.Name, prefix))
	var t tag
	if ok && key.Metadata != nil {
		ok = json.Unmarshal(key.Metadata, &t) == nil
	}
	if !ok {
		return p, fmt.Errorf("memory: the key %q is not one of a message", key.Name)
	}
	p.thread, p.resource = cmp.Or(thread, t.Thread), cmp.Or(resource, t.Resource)
	return p, nil
}
