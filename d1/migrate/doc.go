// Package migrate takes a D1 database from schema to schema, and knows the ledgers of
// the tools that do so today.
//
//	//go:embed migrations/*.sql
//	var files embed.FS
//
//	sub, err := fs.Sub(files, "migrations")
//	runner, err := migrate.New(db, migrate.Wrangler(sub, ""), migrate.Options{})
//	result, err := runner.Run(ctx)
//
// # Sources
//
// A [Source] says where migrations come from, and with it which ledger is theirs:
//
//   - [Values] and [Files]: one statement each, known by the SHA-256 of their text in
//     __drizzle_migrations, as lunora does it.
//   - [Wrangler]: a folder of wrangler's, with as many statements a file as it likes,
//     known by path in d1_migrations.
//   - [Drizzle]: a folder of drizzle-kit's, of version 0.x with a journal or of version
//     1.x with a folder for each migration, known in __drizzle_migrations as
//     drizzle-orm knows them.
//
// Either tool continues where the other stopped. A folder of drizzle-kit's that wrangler
// applies too can be kept in both ledgers: [Runner.Adopt] writes what one of them lacks,
// and from then on every migration is recorded in both.
//
// # Safety
//
// A migration is one batch, which D1 runs as a transaction: its row in the ledger first,
// then its statements. Of two runners that race one applies a migration and the other
// skips it, and an answer that got lost is found out by reading the ledger.
//
// What D1 is known to refuse (BEGIN, ATTACH, VACUUM, most PRAGMAs, TEMP …) is reported
// before anything runs. Where a migration may fire ON DELETE CASCADE or SET NULL, or
// replaces a table by a new one, rows are counted before and after in the same batch, and
// if some are gone nothing has happened and the error is a [DataLossError]. Where the
// database can travel in time (see [d1.TimeTraveler]), a bookmark is taken before the
// first migration.
//
// The package does not wait for locks, because it has none, and never prints.
package migrate
