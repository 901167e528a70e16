package memory

import (
	"encoding/json"
	"time"
)

// Thread is a conversation.
type Thread struct {
	// ID names the thread, in the whole store.
	ID string `json:"id"`
	// ResourceID names whom or what it belongs to: a user, for instance.
	ResourceID string `json:"resourceId"`
	// Title may be empty.
	Title string `json:"title"`
	// Metadata is whatever the program keeps with it; nil if nothing.
	Metadata Object `json:"metadata,omitempty"`
	// CreatedAt is to the millisecond, in UTC. The zero time is replaced by the present.
	CreatedAt time.Time `json:"createdAt"`
	// UpdatedAt moves on with every change of the title, the metadata or the messages.
	UpdatedAt time.Time `json:"updatedAt"`
	// ArchivedAt is nil unless the thread is archived.
	ArchivedAt *time.Time `json:"archivedAt,omitempty"`
}

// Message is a message of a thread.
type Message struct {
	// ID names the message, in the whole store.
	ID string `json:"id"`
	// ThreadID names the thread that it belongs to.
	ThreadID string `json:"threadId"`
	// ResourceID names whom or what it belongs to, usually as the thread does.
	ResourceID string `json:"resourceId"`
	// Role is user, assistant, system, tool or any other.
	Role string `json:"role"`
	// Type is the form of the content; empty means v2, Mastra's present one.
	Type string `json:"type,omitempty"`
	// CreatedAt is to the millisecond, in UTC. The zero time is replaced by the present.
	CreatedAt time.Time `json:"createdAt"`
	// Content is JSON, kept to the byte, but for white space around it. See [ParseContent] and [TextContent].
	Content json.RawMessage `json:"content"`
}

// Metadata is what is remembered of a resource, over all its threads.
type Metadata struct {
	// ResourceID names the resource.
	ResourceID string `json:"resourceId"`
	// WorkingMemory is a text, in whatever form the agent wants it. One that looks like
	// JSON stays the text it is.
	WorkingMemory string `json:"workingMemory"`
	// Metadata is whatever the program keeps with it; nil if nothing.
	Metadata Object `json:"metadata,omitempty"`
	// CreatedAt is to the millisecond, in UTC. The zero time is replaced by the present.
	CreatedAt time.Time `json:"createdAt"`
	// UpdatedAt moves on with every change.
	UpdatedAt time.Time `json:"updatedAt"`
}

// ThreadUpdate is what [Store.UpdateThread] changes.
type ThreadUpdate struct {
	// Title replaces the title; nil leaves it.
	Title *string
	// Metadata is merged into the thread's, key by key: a value replaces the one before
	// as a whole, nil is stored as null, and keys that are not here stay.
	Metadata Object
	// ArchivedAt archives the thread, or, as the zero time, brings it back; nil leaves it
	// as it is. It does not move UpdatedAt.
	ArchivedAt *time.Time
}

// MessageUpdate is what [Store.UpdateMessages] changes in one message.
type MessageUpdate struct {
	// ID says which message.
	ID string
	// ThreadID moves it to another thread; empty leaves it.
	ThreadID string
	// ResourceID, Role and Type replace what was there; empty leaves it.
	ResourceID, Role, Type string
	// Content is an object whose keys replace those of the message's content. Its key
	// metadata is merged in turn, key by key. nil leaves the content.
	Content json.RawMessage
}

// MetadataUpdate is what [Store.UpdateMetadata] changes.
type MetadataUpdate struct {
	// WorkingMemory replaces the working memory; nil leaves it.
	WorkingMemory *string
	// Metadata is merged as that of a [ThreadUpdate].
	Metadata Object
}

// CloneOptions say what [Store.CloneThread] copies. Only SourceID must be set.
type CloneOptions struct {
	// SourceID names the thread to copy.
	SourceID string
	// ID is the new thread's; empty means a random one.
	ID string
	// ResourceID is the new thread's and its messages'; empty means as they were.
	ResourceID string
	// Title is the new thread's; empty means "Clone of" and the title of the source.
	Title string
	// Metadata is the new thread's, to which the key clone is added: from where, when, and
	// up to which message it was copied. The source's is not copied.
	Metadata Object
	// Last copies only the newest messages of those that the other options choose, so
	// many; 0 means all.
	Last int
	// Start and End choose messages by their times, ends included; zero means no end.
	Start, End time.Time
	// MessageIDs chooses messages; nil means all.
	MessageIDs []string
}

// Clone is a thread that was copied.
type Clone struct {
	// Thread is the new thread.
	Thread Thread
	// Messages are its messages, in their order.
	Messages []Message
	// MessageIDs has the new id of each message that was copied.
	MessageIDs map[string]string
}
