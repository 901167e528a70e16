package onkv

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/memory"
)

// list returns the places of the messages of a thread, or of a resource, in their order.
// enough, if not nil, says when there are so many that the rest is not needed.
func (s *Store) list(ctx context.Context, prefix, thread, resource string, enough func(places []place) bool) ([]place, error) {
	var places []place
	for key, err := range kv.All(ctx, s.Messages, kv.ListOptions{Prefix: prefix}) {
		if err != nil {
			return nil, err
		}
		p, err := s.listed(key, prefix, thread, resource)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
		if enough != nil && enough(places) {
			break
		}
	}
	return places, nil
}

// listing is a list of messages under way.
type listing struct {
	store *Store
	query memory.MessageQuery
	after *place // the cursor's
	lists map[string][]place
}

// ListMessages implements [memory.Store].
func (s *Store) ListMessages(ctx context.Context, q memory.MessageQuery) (memory.MessagePage, error) {
	q, err := q.Check()
	if err != nil {
		return memory.MessagePage{}, err
	}
	l := &listing{store: s, query: q, lists: map[string][]place{}}
	if q.Cursor != "" {
		text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		p, ok := parsePosition(string(text))
		if err != nil || !ok {
			return memory.MessagePage{}, memory.Invalidf("the cursor %.40q is none of this store's", q.Cursor)
		}
		l.after = &p
	}
	page := memory.MessagePage{Page: q.Page, PerPage: q.PerPage, Total: -1}
	included, err := l.included(ctx)
	if err != nil {
		return memory.MessagePage{}, err
	}
	var chosen, rest []place
	if q.PerPage == memory.None {
		page.Total = 0
	} else {
		var total int
		if chosen, rest, total, err = l.page(ctx); err != nil {
			return memory.MessagePage{}, err
		}
		if q.Total || q.PerPage == memory.All {
			page.Total = total
		}
	}
	all := slices.Concat(chosen, included)
	slices.SortFunc(all, l.compare)
	all = slices.CompactFunc(all, func(a, b place) bool { return a.compare(b) == 0 })
	page.HasMore = slices.ContainsFunc(rest, func(p place) bool {
		return !slices.ContainsFunc(included, func(i place) bool { return i.compare(p) == 0 })
	})
	if page.HasMore && len(chosen) > 0 {
		page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(chosen[len(chosen)-1].position()))
	}
	messages, err := s.read(ctx, all)
	page.Messages = plain(messages)
	return page, err
}

func (l *listing) compare(a, b place) int {
	if l.query.Order == memory.Descending {
		return b.compare(a)
	}
	return a.compare(b)
}

// page returns the places of the page, of what is behind it (or of the first of that), and
// the number of all on all pages, if the query asks for it.
func (l *listing) page(ctx context.Context) (chosen, rest []place, total int, err error) {
	q := l.query
	all, err := l.candidates(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	slices.SortFunc(all, l.compare)
	total = len(all)
	if l.after != nil {
		all = slices.DeleteFunc(all, func(p place) bool { return l.compare(p, *l.after) <= 0 })
	}
	if q.PerPage == memory.All {
		return all, nil, total, nil
	}
	from := min(q.Page*q.PerPage, len(all))
	to := min(from+q.PerPage, len(all))
	return all[from:to:to], all[to:], total, nil
}

// candidates returns the places of all messages that the query chooses. If nobody needs to
// know how many they are, the first are enough for a list from the beginning.
func (l *listing) candidates(ctx context.Context) ([]place, error) {
	q, s := l.query, l.store
	var enough func([]place) bool
	if q.Order == memory.Ascending && q.PerPage != memory.All && !q.Total && len(q.Include) == 0 && len(q.Metadata) == 0 {
		need := (q.Page+1)*q.PerPage + 1
		count, seen := 0, 0
		enough = func(places []place) bool {
			for ; seen < len(places); seen++ {
				if p := places[seen]; l.chosen(p) && (l.after == nil || p.compare(*l.after) > 0) {
					count++
				}
			}
			return count >= need
		}
	}
	var all []place
	switch ids := q.ThreadIDs; {
	case len(ids) == 0:
		places, err := s.list(ctx, s.ownedPrefix(q.ResourceID), "", q.ResourceID, enough)
		if err != nil {
			return nil, err
		}
		all = places
	case len(ids) == 1 && enough != nil:
		places, err := s.list(ctx, s.threadPrefix(ids[0]), ids[0], "", enough)
		if err != nil {
			return nil, err
		}
		all = places
	default:
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			places, err := l.thread(ctx, id)
			if err != nil {
				return nil, err
			}
			all = append(all, places...)
		}
	}
	all = slices.DeleteFunc(slices.Clone(all), func(p place) bool { return !l.chosen(p) })
	if len(q.Metadata) == 0 {
		return all, nil
	}
	return l.filter(ctx, all)
}

// filter leaves the messages whose content has the query's metadata.
func (l *listing) filter(ctx context.Context, places []place) ([]place, error) {
	var left []place
	for part := range slices.Chunk(places, kv.MaxGetKeys) {
		messages, err := l.store.read(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			members, err := memory.Members(m.Content)
			if err != nil {
				continue // not an object: it has no metadata
			}
			for _, member := range members {
				var o memory.Object
				if member.Key == "metadata" && o.UnmarshalJSON(member.Value) == nil && matches(o, l.query.Metadata) {
					left = append(left, m.place)
				}
			}
		}
	}
	return left, nil
}

// chosen reports whether the query chooses a message, so far as its place says.
func (l *listing) chosen(p place) bool {
	q := l.query
	if q.ResourceID != "" && p.resource != q.ResourceID {
		return false
	}
	inside := func(c int, exclusive bool) bool { return c < 0 || c == 0 && !exclusive }
	at := p.time()
	return (q.Start.IsZero() || inside(q.Start.Compare(at), q.StartExclusive)) && (q.End.IsZero() || inside(at.Compare(q.End), q.EndExclusive))
}

// thread returns the places of all messages of a thread.
func (l *listing) thread(ctx context.Context, id string) ([]place, error) {
	if places, ok := l.lists[id]; ok {
		return places, nil
	}
	places, err := l.store.list(ctx, l.store.threadPrefix(id), id, "", nil)
	l.lists[id] = places
	return places, err
}

// included returns the places of the messages that the query includes.
func (l *listing) included(ctx context.Context) ([]place, error) {
	if len(l.query.Include) == 0 {
		return nil, nil
	}
	var ids []string
	for _, include := range l.query.Include {
		ids = append(ids, include.ID)
	}
	found, err := l.store.find(ctx, ids)
	if err != nil {
		return nil, err
	}
	var all []place
	for _, include := range l.query.Include {
		i := slices.IndexFunc(found, func(p place) bool { return p.id == include.ID })
		if i < 0 {
			continue
		}
		thread, err := l.thread(ctx, found[i].thread)
		if err != nil {
			return nil, err
		}
		if r := l.query.ResourceID; r != "" {
			thread = slices.DeleteFunc(slices.Clone(thread), func(p place) bool { return p.resource != r })
		}
		at := slices.IndexFunc(thread, func(p place) bool { return p.id == include.ID })
		if at < 0 {
			continue
		}
		from, to := max(at-include.Previous, 0), len(thread)
		if include.Next < to-at {
			to = at + include.Next + 1
		}
		all = append(all, thread[from:min(to, len(thread))]...)
	}
	return all, nil
}

// CloneThread implements [memory.Store].
func (s *Store) CloneThread(ctx context.Context, opts memory.CloneOptions) (memory.Clone, error) {
	o, err := opts.Check()
	if err != nil {
		return memory.Clone{}, err
	}
	source, err := s.GetThread(ctx, o.SourceID)
	if err != nil {
		return memory.Clone{}, err
	}
	if _, err = s.GetThread(ctx, o.ID); err == nil {
		return memory.Clone{}, memory.Exists("thread", o.ID)
	} else if !errors.Is(err, memory.ErrNotFound) {
		return memory.Clone{}, err
	}
	page, err := s.ListMessages(ctx, memory.MessageQuery{ThreadIDs: []string{o.SourceID}, Start: o.Start, End: o.End, PerPage: memory.All})
	if err != nil {
		return memory.Clone{}, err
	}
	messages := page.Messages
	if o.MessageIDs != nil {
		messages = slices.DeleteFunc(messages, func(m memory.Message) bool { return !slices.Contains(o.MessageIDs, m.ID) })
	}
	if o.Last > 0 {
		messages = messages[max(len(messages)-o.Last, 0):]
	}
	now := s.now().UTC().Truncate(time.Millisecond)
	of := map[string]any{"sourceThreadId": o.SourceID, "clonedAt": now}
	if len(messages) > 0 {
		of["lastMessageId"] = messages[len(messages)-1].ID
	}
	clone := memory.Clone{MessageIDs: map[string]string{}}
	for i := range messages {
		m := &messages[i]
		clone.MessageIDs[m.ID] = memory.NewID()
		m.ID, m.ThreadID, m.ResourceID = clone.MessageIDs[m.ID], o.ID, cmp.Or(o.ResourceID, m.ResourceID)
	}
	thread := memory.Thread{ID: o.ID, ResourceID: cmp.Or(o.ResourceID, source.ResourceID), Title: cmp.Or(o.Title, "Clone of "+source.Title),
		Metadata: merged(o.Metadata, memory.Object{"clone": of}), CreatedAt: now, UpdatedAt: now}
	if _, err = s.SaveThread(ctx, thread); err != nil {
		return memory.Clone{}, err
	}
	if _, err = s.SaveMessages(ctx, messages); err != nil {
		return memory.Clone{}, err
	}
	clone.Messages = messages
	clone.Thread, err = s.GetThread(ctx, o.ID)
	return clone, err
}
