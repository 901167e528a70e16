package embedded_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

const benchRows = 10_000

// benchDB returns a database with a table of 10,000 rows and 5 columns.
func benchDB(b *testing.B, path string) *d1.DB {
	db := d1.New(open(b, embedded.Config{Path: path, Sync: embedded.SyncNormal}))
	_, err := db.Exec(context.Background(), fmt.Sprintf(`
		CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER, score REAL);
		INSERT INTO users WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
			SELECT i, 'user ' || i, 'user' || i || '@example.com', i %% 90, i / 7.0 FROM c`, benchRows))
	if err != nil {
		b.Fatal(err)
	}
	return db
}

const pointRead = "SELECT id, name, email, age, score FROM users WHERE id = ?"

func BenchmarkPointRead(b *testing.B) {
	db := benchDB(b, filepath.Join(b.TempDir(), "bench.db"))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		readPoint(b, db, pointRead, i)
	}
}

// BenchmarkPointReadUncached reads with a text that is new each time, and so with a statement
// that is not in the cache.
func BenchmarkPointReadUncached(b *testing.B) {
	db := benchDB(b, filepath.Join(b.TempDir(), "bench.db"))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		readPoint(b, db, fmt.Sprint(pointRead, " -- ", i), i)
	}
}

// BenchmarkPointReadRatio compares a read by primary key through this package with the
// engine's own interface, by turns on the same file, so that what else the machine does
// falls on both. The target is a ratio of 1.5.
func BenchmarkPointReadRatio(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bench.db")
	db := benchDB(b, path)
	engine := rawReader(b, path)
	const turn = 50
	var ours, theirs []time.Duration
	for i := 0; b.Loop(); i += turn {
		began := time.Now()
		for j := range turn {
			engine(i + j)
		}
		between := time.Now()
		for j := range turn {
			readPoint(b, db, pointRead, i+j)
		}
		theirs = append(theirs, between.Sub(began))
		ours = append(ours, time.Since(between))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	median := func(d []time.Duration) float64 { return float64(d[len(d)/2]) / turn }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(theirs), "engine-ns/read")
	b.ReportMetric(median(ours), "d1-ns/read")
	b.ReportMetric(median(ours)/median(theirs), "ratio")
}

// rawReader reads rows through the engine's own interface.
func rawReader(b *testing.B, path string) func(i int) {
	c, err := sqlite3.Open("file:" + path)
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Exec("PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL; PRAGMA query_only=ON"); err != nil {
		b.Fatal(err)
	}
	s, _, err := c.PrepareFlags(pointRead, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		s.Close()
		c.Close()
	})
	return func(i int) {
		_ = s.BindInt64(1, int64(i%benchRows+1))
		if !s.Step() || s.ColumnInt64(0) == 0 || len(s.ColumnRawText(1)) == 0 || len(s.ColumnRawText(2)) == 0 {
			b.Fatal(s.Err())
		}
		_, _ = s.ColumnInt64(3), s.ColumnFloat(4)
		_ = s.Step()
		_ = s.Reset()
		_ = s.ClearBindings()
	}
}

func readPoint(b *testing.B, db *d1.DB, sql string, i int) {
	results, err := db.Query(context.Background(), sql, int64(i%benchRows+1))
	if err != nil || !results.Next() {
		b.Fatal(err)
	}
	_ = results.Row()
	if err := results.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkPointReadInParallel(b *testing.B) {
	db := benchDB(b, filepath.Join(b.TempDir(), "bench.db"))
	b.ReportAllocs()
	b.SetParallelism(8)
	var n atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			readPoint(b, db, pointRead, int(n.Add(1)))
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	for name, when := range map[string]embedded.Sync{"full": embedded.SyncFull, "normal": embedded.SyncNormal} {
		for _, writers := range []int{1, 16} {
			b.Run(fmt.Sprintf("sync=%s/writers=%d", name, writers), func(b *testing.B) {
				db := d1.New(open(b, embedded.Config{Path: filepath.Join(b.TempDir(), "bench.db"), Sync: when}))
				ctx := context.Background()
				if _, err := db.Run(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, s TEXT)"); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.ResetTimer()
				var left atomic.Int64
				left.Store(int64(b.N))
				var wg sync.WaitGroup
				for range writers {
					wg.Go(func() {
						for i := left.Add(-1); i >= 0; i = left.Add(-1) {
							if _, err := db.Run(ctx, "INSERT INTO t (n, s) VALUES (?, ?)", i, "some text"); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

func BenchmarkStream(b *testing.B) {
	db := benchDB(b, filepath.Join(b.TempDir(), "bench.db"))
	b.ReportAllocs()
	for b.Loop() {
		results, err := db.Query(context.Background(), "SELECT * FROM users")
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for results.Next() {
			n += len(results.Row())
		}
		if err := results.Close(); err != nil || n != 5*benchRows {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkAll(b *testing.B) {
	type user struct {
		ID          int64
		Name, Email string
		Age         int
		Score       float64
	}
	db := benchDB(b, filepath.Join(b.TempDir(), "bench.db"))
	b.ReportAllocs()
	for b.Loop() {
		users, err := d1.All[user](context.Background(), db, "SELECT * FROM users")
		if err != nil || len(users) != benchRows {
			b.Fatal(len(users), err)
		}
	}
}
