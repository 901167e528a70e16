// Package ond1 keeps conversations in a D1 database, wherever that lives: over
// d1/embedded in a file of this machine, over d1/rest or in a Worker on Cloudflare.
//
//	store, err := ond1.New(db, ond1.Config{}) // db is a *d1.DB or a *d1.Session
//
// Each call is one request to the database, and one transaction: it is done as a whole or
// not at all, and of concurrent changes none is lost. Numbers of threads, messages, ids
// and includes have no limit of their own.
//
// # Tables
//
// The first call makes the tables threads, messages, message_chunks and metadata, or adds
// the columns and indexes that they lack; nothing is ever dropped. The version of what was
// made is kept in the table memory_schema. TablePrefix stands before all these names.
//
// # Mastra
//
// With [LayoutMastra] the tables are Mastra's, mastra_threads, mastra_messages and
// mastra_resources, with its columns and encodings, so that a Go program and Mastra's
// D1Store work on the same conversations at the same time. Indexes are added, which Mastra
// has not, and nothing that it would notice. A content that is a JSON string is stored as
// that text, as Mastra does; a content that is a number, a bool or null cannot be told
// from such a text, and is refused.
package ond1
