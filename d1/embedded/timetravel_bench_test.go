package embedded_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// BenchmarkHistory commits rows to a database with a history and to one without, by turns,
// so that what else the machine does falls on both.
func BenchmarkHistory(b *testing.B) {
	for name, sync := range map[string]embedded.Sync{"synced": embedded.SyncFull, "unsynced": embedded.SyncNormal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			const turn = 20
			var took [2][]time.Duration
			var dbs [2]*d1.DB
			for i, retention := range []time.Duration{0, time.Hour} {
				dbs[i] = d1.New(open(b, embedded.Config{Path: filepath.Join(b.TempDir(), "bench.db"), Sync: sync, Retention: retention}))
				must(b, dbs[i], "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER)")
			}
			for range max(b.N/turn, 1) {
				for i, db := range dbs {
					began := time.Now()
					for n := range turn {
						if _, err := db.Run(context.Background(), "INSERT INTO t (name, n) VALUES (?, ?)", "some name", n); err != nil {
							b.Fatal(err)
						}
					}
					took[i] = append(took[i], time.Since(began))
				}
			}
			for i := range took {
				slices.Sort(took[i])
			}
			median := func(d []time.Duration) float64 { return float64(d[len(d)/2]) / turn }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(took[0]), "off-ns/commit")
			b.ReportMetric(median(took[1]), "on-ns/commit")
			b.ReportMetric(median(took[1])/median(took[0]), "ratio")
		})
	}
}

// BenchmarkHistoryAllocs counts what a commit allocates with a history, and without.
func BenchmarkHistoryAllocs(b *testing.B) {
	for name, retention := range map[string]time.Duration{"off": 0, "on": time.Hour} {
		b.Run(name, func(b *testing.B) {
			db := d1.New(open(b, embedded.Config{Path: filepath.Join(b.TempDir(), "bench.db"), Sync: embedded.SyncOff, Retention: retention}))
			must(b, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER)")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Run(context.Background(), "INSERT INTO t (name, n) VALUES (?, ?)", "some name", 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
