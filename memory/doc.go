// Package memory keeps the conversations of agents: threads, their messages, and what is
// remembered of a user or another resource.
//
//	store, err := ond1.New(db, ond1.Config{}) // db is a *d1.DB; see packages ond1 and onkv
//	thread, err := store.SaveThread(ctx, memory.Thread{ID: "t1", ResourceID: "user-7", Title: "Trip"})
//	_, err = store.SaveMessages(ctx, []memory.Message{
//		{ID: "m1", ThreadID: "t1", ResourceID: "user-7", Role: "user", Content: memory.TextContent("Hello")},
//	})
//	last, err := memory.Last(ctx, store, "t1", 20)
//
// Shapes and rules are those of Mastra's memory, so that a Go service and a Mastra
// application can share one database; see package ond1, LayoutMastra.
//
// # Content
//
// The content of a message is JSON and is kept to the byte: fields that this package has
// never heard of, numbers of any length, and messages of any role, system too. What Mastra
// calls format 2, an object with parts, is read by [ParseContent]; nothing else looks into
// it but the filter on metadata and the merging of [Store.UpdateMessages].
//
// # Order
//
// Messages are in the order of their CreatedAt, to the millisecond; those of one
// millisecond in the order in which they were first saved. Pages that are continued with
// a [MessagePage.Cursor] stay as they are while messages are added.
//
// # Places
//
// A place is a [Store]: memory/ond1 keeps conversations in a D1 database, wherever that
// lives, memory/onkv in Workers KV. Package memorytest has the tests that every Store
// passes.
package memory
