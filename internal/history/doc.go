// Package history keeps the past states of an SQLite database in WAL mode: a log of what
// turns each commit back.
//
// The log is a folder of segments. A segment is a row of blocks, each with a checksum
// over its place and its content; one block stands for one commit, and holds the bytes
// that the commit has overwritten. The state of a moment is the database as it is now,
// with the commits since then turned back, the newest first. Nothing else is needed, and
// to forget the oldest states is to remove the oldest segments.
//
// A block is written before its commit. So there may be blocks whose commit never was,
// and there may be commits that have no block, because a program that keeps no history has
// made them. Both show when the place that a block names in the write-ahead log is
// compared with the write-ahead log itself: the first are dropped, and the second are a
// break, before which no state can be told any more. No state is ever guessed: a page
// that was turned back has the checksum that it had.
//
// All that writes to a log, or reads its end, is done under the database's write lock.
// Several processes may have one log open. The package knows files, and no SQL engine.
package history
