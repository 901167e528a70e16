package memory

import "context"

// Store keeps conversations. It is safe for concurrent use. Its contract is tested by
// package memorytest.
//
// Arguments are checked before anything is sent; what is wrong with them is [ErrInvalid],
// and nothing has happened. Ids are texts that are not blank, of valid UTF-8 and without
// a NUL. Metadata and content are the caller's own, before and after.
type Store interface {
	// GetThread returns a thread, or an error that is [ErrNotFound]. See [ThreadOf].
	GetThread(ctx context.Context, id string) (Thread, error)
	// SaveThread stores a thread, in place of one with its id, and returns it as stored:
	// times that are zero are the present. Its messages stay.
	SaveThread(ctx context.Context, thread Thread) (Thread, error)
	// UpdateThread changes a thread and returns it as it is then. An unknown one is
	// [ErrNotFound].
	UpdateThread(ctx context.Context, id string, update ThreadUpdate) (Thread, error)
	// DeleteThread removes a thread with all its messages. An unknown one is no error.
	DeleteThread(ctx context.Context, id string) error
	// CloneThread copies a thread with its messages, which get new, random ids. An unknown
	// source is [ErrNotFound], an id that is taken [ErrExists].
	CloneThread(ctx context.Context, opts CloneOptions) (Clone, error)
	// ListThreads returns a page of the threads that a query chooses.
	ListThreads(ctx context.Context, query ThreadQuery) (ThreadPage, error)

	// SaveMessages stores messages, and moves UpdatedAt of their threads on. It returns
	// them as stored. A message whose id exists is replaced, and moved if its thread is
	// another; it keeps its CreatedAt and its place in the order. A thread that does not
	// exist is [ErrNotFound], and then no message is stored.
	SaveMessages(ctx context.Context, messages []Message) ([]Message, error)
	// UpdateMessages changes messages and returns them as they are then, in their order.
	// Unknown ids are passed over. UpdatedAt of their threads moves on, of the one before
	// and the one after a move.
	UpdateMessages(ctx context.Context, updates []MessageUpdate) ([]Message, error)
	// DeleteMessages removes messages, and moves UpdatedAt of their threads on. Unknown
	// ids are passed over.
	DeleteMessages(ctx context.Context, ids []string) error
	// GetMessages returns the messages of these ids, in their order, whatever thread they
	// are in. Unknown ids are passed over.
	GetMessages(ctx context.Context, ids []string) ([]Message, error)
	// ListMessages returns a page of the messages that a query chooses.
	ListMessages(ctx context.Context, query MessageQuery) (MessagePage, error)

	// GetMetadata returns what is remembered of a resource, or an error that is
	// [ErrNotFound].
	GetMetadata(ctx context.Context, resourceID string) (Metadata, error)
	// SaveMetadata stores it, in place of what there was, and returns it as stored.
	SaveMetadata(ctx context.Context, metadata Metadata) (Metadata, error)
	// UpdateMetadata changes it, or makes it, and returns it as it is then.
	UpdateMetadata(ctx context.Context, resourceID string, update MetadataUpdate) (Metadata, error)
}

// Replacer is a Store that can replace all the messages of a thread in one step.
type Replacer interface {
	Store

	// ReplaceMessages removes the messages of a thread and stores these in their place, all
	// in one step. Each message must be of the thread, which must exist.
	ReplaceMessages(ctx context.Context, threadID string, messages []Message) ([]Message, error)
}
