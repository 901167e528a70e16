package memory

import (
	"context"
	"iter"
	"slices"
)

// ThreadOf returns a thread if it belongs to a resource. One that does not exist, or
// belongs to another resource, is [ErrNotFound].
func ThreadOf(ctx context.Context, s Store, id, resourceID string) (Thread, error) {
	thread, err := s.GetThread(ctx, id)
	if err != nil {
		return Thread{}, err
	}
	if thread.ResourceID != resourceID {
		return Thread{}, NotFound("thread", id)
	}
	return thread, nil
}

// Last returns the last n messages of a thread, in the order of their times.
func Last(ctx context.Context, s Store, threadID string, n int) ([]Message, error) {
	if n <= 0 {
		return nil, Invalidf("the number of messages must be > 0, and is %d", n)
	}
	page, err := s.ListMessages(ctx, MessageQuery{ThreadIDs: []string{threadID}, Order: Descending, PerPage: n})
	if err != nil {
		return nil, err
	}
	slices.Reverse(page.Messages)
	return page.Messages, nil
}

// Messages yields all the messages that a query chooses, page after page, of PerPage each.
// Include is not used. An error is yielded last, with a zero Message.
func Messages(ctx context.Context, s Store, query MessageQuery) iter.Seq2[Message, error] {
	query.Include = nil
	return func(yield func(Message, error) bool) {
		query := query
		for {
			page, err := s.ListMessages(ctx, query)
			if err != nil {
				yield(Message{}, err)
				return
			}
			for _, m := range page.Messages {
				if !yield(m, nil) {
					return
				}
			}
			if page.Cursor == "" {
				return
			}
			query.Cursor, query.Page = page.Cursor, 0
		}
	}
}
