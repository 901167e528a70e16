package migrate

import (
	"fmt"
	"slices"
	"testing"

	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// TestSchemaAgreesWithSQLite follows statements, and compares the foreign keys that lose
// something with those that SQLite finds in the tables.
func TestSchemaAgreesWithSQLite(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t)
	s := newSchema()
	for _, sql := range []string{
		"CREATE TABLE p (id INTEGER PRIMARY KEY, a, b, UNIQUE (a, b))",
		"CREATE TABLE \"q \"\"x\" (id INTEGER PRIMARY KEY)",
		"create table c1 (p integer references p on delete cascade)",
		"CREATE TABLE IF NOT EXISTS main.c2 (p CONSTRAINT \"on\" REFERENCES [p] (id) ON UPDATE SET NULL ON DELETE SET NULL NOT NULL, q DEFAULT (1 + (2)))",
		"CREATE TABLE c3 (x, y, CONSTRAINT k FOREIGN KEY (x, y) REFERENCES p (a, b) MATCH FULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)",
		"CREATE TABLE c4 (x CHECK (x <> 'REFERENCES p ON DELETE CASCADE'), y REFERENCES p /* ON DELETE CASCADE */ ON DELETE RESTRICT, \"z\" REFERENCES `q \"x` ON DELETE SET DEFAULT)",
		"CREATE TABLE c5 (id PRIMARY KEY, x REFERENCES p ON DELETE NO ACTION, y REFERENCES P ON DELETE CASCADE, z REFERENCES missing ON DELETE CASCADE) WITHOUT ROWID",
		"CREATE TABLE c6 (\n  x -- REFERENCES p ON DELETE CASCADE\n  INTEGER,\n  [y z] VARCHAR(10, 2) DEFAULT (json_extract('{}', '$')) REFERENCES c6 ON DELETE CASCADE,\n  w AS (x + 1) STORED)",
		"CREATE TABLE c7 (foreign_key, \"references\" TEXT, on_delete, PRIMARY KEY (foreign_key), FOREIGN KEY (on_delete) REFERENCES c1 ON DELETE SET NULL, UNIQUE (\"references\"))",
		"CREATE TABLE c8 AS SELECT 1 AS a",
		"CREATE VIRTUAL TABLE f USING fts5(a, b)",
		"CREATE VIEW v AS SELECT 1",
		"CREATE TRIGGER tr AFTER INSERT ON p BEGIN DELETE FROM p WHERE id = 0; END",
		"ALTER TABLE c1 ADD COLUMN more INTEGER REFERENCES p ON DELETE SET NULL",
		"ALTER TABLE c1 ADD plain TEXT",
		"ALTER TABLE p RENAME TO \"P 2\"",
		"ALTER TABLE c6 RENAME TO c66",
		"DROP TABLE c7",
		"DROP TABLE IF EXISTS c3",
		"DROP TABLE IF EXISTS nope",
		"CREATE TABLE IF NOT EXISTS c4 (a REFERENCES p ON DELETE CASCADE)",
	} {
		if _, err := db.Run(t.Context(), sql); err != nil {
			t.Fatalf("SQLite refuses %q: %v", sql, err)
		}
		s.run(sql)
	}
	names, err := db.All(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'f\\_%' ESCAPE '\\' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	if len(names.Rows) != len(s.tables) {
		t.Errorf("SQLite has %d tables, the schema %d", len(names.Rows), len(s.tables))
	}
	keys := 0
	for _, row := range names.Rows {
		name := text(row[0])
		have := s.tables[fold(name)]
		if have == nil {
			t.Errorf("there is no table %q", name)
			continue
		}
		var got, want []string
		for _, key := range have.keys {
			if key.action != "" {
				got = append(got, fmt.Sprint(key.column, ">", key.parent, ":", key.action))
			}
		}
		list, err := db.All(t.Context(), "PRAGMA foreign_key_list("+sqltext.QuoteIdent(name)+")")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range list.Rows { // id, seq, table, from, to, on_update, on_delete, match
			if action := text(key[6]); number(key[1]) == 0 && (action == "CASCADE" || action == "SET NULL") {
				want = append(want, fmt.Sprint(text(key[3]), ">", fold(text(key[2])), ":", action))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, SQLite has %q", name, got, want)
		}
		keys += len(want)
	}
	if keys < 6 {
		t.Errorf("only %d keys were compared", keys)
	}
}
