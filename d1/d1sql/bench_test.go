package d1sql_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/embedded"
)

const benchRows = 10_000

func benchDB(b *testing.B) *sql.DB {
	backend, err := embedded.Open(embedded.Config{Path: filepath.Join(b.TempDir(), "bench.db"), Sync: embedded.SyncOff})
	if err != nil {
		b.Fatal(err)
	}
	db := d1sql.OpenDB(d1.New(backend))
	b.Cleanup(func() { db.Close() })
	_, err = db.Exec(`
		CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER, score REAL);
		INSERT INTO users WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 10000)
			SELECT i, 'user ' || i, 'user' || i || '@example.com', i % 90, i / 7.0 FROM c`)
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func BenchmarkPointRead(b *testing.B) {
	db := benchDB(b)
	var id, age int64
	var name, email string
	var score float64
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		err := db.QueryRowContext(context.Background(), "SELECT * FROM users WHERE id = ?", i%benchRows+1).
			Scan(&id, &name, &email, &age, &score)
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	db := benchDB(b)
	var id, age int64
	var name, email string
	var score float64
	b.ReportAllocs()
	for b.Loop() {
		rows, err := db.QueryContext(context.Background(), "SELECT * FROM users")
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for rows.Next() {
			if err := rows.Scan(&id, &name, &email, &age, &score); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := rows.Close(); err != nil || n != benchRows {
			b.Fatal(n, err)
		}
	}
}
