// Package d1 is Cloudflare's D1, SQLite at the edge, for Go.
//
// [Open] a database by its name, wherever it lives, and use the methods that D1
// users know:
//
//	db, err := d1.Open("file:app.db")
//	meta, err := db.Run(ctx, "INSERT INTO users (name) VALUES (?)", "Ada")
//	users, err := d1.All[User](ctx, db, "SELECT * FROM users WHERE id > ?", 10)
//	err = db.First(ctx, "SELECT name FROM users WHERE id = ?", 7).Scan(&name)
//	results, err := db.Batch(ctx, insert.Bind("Ada"), insert.Bind("Grace"))
//
// A program that speaks database/sql uses package d1/d1sql instead, over the same
// places.
//
// # Transactions
//
// One statement is a transaction, and so is one [DB.Batch]: if a statement in it
// fails, nothing has happened. D1 has no BEGIN and COMMIT, and refuses them.
//
// # Values
//
// Go values become SQLite values as [Arg] says, and come back as [Convert] says:
// an int64 is an INTEGER with all its 64 bits, a []byte a BLOB, nil a NULL. What
// cannot be carried exactly is an error, never another value.
//
// # Errors
//
// Errors of a database are an [*Error] with every field that D1 sent. [Retryable],
// [Unsent] and [Ambiguous] answer what a caller must know before it tries again.
// Reading one row where there is none is [ErrNoRows].
//
// # Places
//
// A place is a [Backend]: d1/embedded is SQLite in this process under D1's rules,
// d1/rest is Cloudflare's REST API. A place registers the scheme of its names when
// it is imported. Package d1test has the tests that every Backend passes.
//
// The package is not an ORM and builds no SQL.
package d1
