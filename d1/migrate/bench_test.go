package migrate_test

import (
	"fmt"
	"testing"

	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/migrate"
)

func history(n int) migrate.Source {
	var files []string
	for i := range n {
		files = append(files, fmt.Sprintf("%04d_t.sql", i+1),
			fmt.Sprintf("CREATE TABLE t%[1]d (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\nCREATE INDEX i%[1]d ON t%[1]d (name);\n", i))
	}
	return folder(files...)
}

// BenchmarkNew reads and checks a hundred migrations.
func BenchmarkNew(b *testing.B) {
	source := history(100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := migrate.New(nil, source, migrate.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRunAgainByHash is the same where a thousand are known by their hashes.
func BenchmarkRunAgainByHash(b *testing.B) {
	var list []migrate.Migration
	for i := range 1000 {
		list = append(list, step(int64(i), fmt.Sprintf("SELECT\n%d", i)))
	}
	db := d1test.Open(b)
	r, err := migrate.New(db, migrate.Values(list...), migrate.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRunAgain is what a program's start costs when a hundred migrations are applied.
func BenchmarkRunAgain(b *testing.B) {
	db := d1test.Open(b)
	r, err := migrate.New(db, history(100), migrate.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRun applies ten migrations of two statements.
func BenchmarkRun(b *testing.B) {
	source := history(10)
	b.ReportAllocs()
	for b.Loop() {
		db := d1test.Open(b)
		r, err := migrate.New(db, source, migrate.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
