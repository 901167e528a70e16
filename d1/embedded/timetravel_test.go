package embedded_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// dump returns a sum of all that a database holds, as another program sees it, and checks
// that it is whole.
func dump(t testing.TB, path string) string {
	t.Helper()
	c, err := sqlite3.OpenFlags("file:"+path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := fts5.Register(c); err != nil {
		t.Fatal(err)
	}
	sum := fnv.New128a()
	// query adds an answer to the sum, and returns the first value of each row.
	query := func(sql string) (first []string) {
		s, _, err := c.Prepare(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		defer s.Close()
		for s.Step() {
			first = append(first, s.ColumnText(0))
			for i := range s.ColumnCount() {
				fmt.Fprintf(sum, "%v %d ", s.ColumnType(i), len(s.ColumnRawText(i)))
				sum.Write(s.ColumnRawBlob(i))
			}
		}
		if err := s.Err(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return first
	}
	if err := c.Exec("BEGIN"); err != nil {
		t.Fatal(err)
	}
	query("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
	for _, name := range query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
		query(`SELECT * FROM "` + name + `"`)
	}
	if found := query("PRAGMA integrity_check"); found[0] != "ok" {
		t.Errorf("integrity_check: %v", found)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// mark is a moment of a database's history.
type mark struct {
	bookmark d1.Bookmark
	at       time.Time
	dump     string
}

// story makes a database live through random changes.
type story struct {
	t      *testing.T
	random *rand.Rand
	cfg    embedded.Config
	back   *embedded.DB
	db     *d1.DB
	marks  []mark
	tables int
}

const storySchema = `
CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, age INTEGER, photo BLOB);
CREATE INDEX by_age ON people (age);
CREATE TABLE pairs (a TEXT, b INTEGER, v BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(body);
CREATE TABLE big (id INTEGER PRIMARY KEY, data BLOB);`

func (s *story) exec(format string, args ...any) {
	s.t.Helper()
	must(s.t, s.db, fmt.Sprintf(format, args...))
}

func (s *story) open() {
	var err error
	if s.back, err = embedded.Open(s.cfg); err != nil {
		s.t.Fatal(err)
	}
	s.db = d1.New(s.back)
}

// step changes the database once.
func (s *story) step() {
	n := s.random.IntN
	switch n(18) {
	case 0, 1, 2, 15, 16, 17:
		s.exec("INSERT INTO people (name, age, photo) VALUES ('p%d', %d, randomblob(%d))", n(1000), n(90), n(9000))
	case 3:
		s.exec("UPDATE people SET age = age + 1, photo = randomblob(%d) WHERE id %% 7 = %d", n(300), n(7))
	case 4:
		s.exec("DELETE FROM people WHERE id %% 5 = %d", n(5))
	case 5:
		s.exec("INSERT OR REPLACE INTO pairs VALUES ('k%d', %d, randomblob(%d)), ('k%d', 1, NULL)", n(50), n(9), n(500), n(50))
	case 6:
		s.exec("INSERT INTO words VALUES ('some words %d about %d'); DELETE FROM words WHERE rowid %% 9 = %d", n(100), n(100), n(9))
	case 7:
		s.tables++
		s.exec("CREATE TABLE extra%d (a, b); INSERT INTO extra%d VALUES (1, hex(randomblob(2000)))", s.tables, s.tables)
	case 8:
		if s.tables > 0 {
			s.exec("DROP TABLE IF EXISTS extra%d", 1+n(s.tables))
		}
	case 9: // pages are written before the commit
		s.exec(`INSERT INTO big (data) WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
			SELECT randomblob(3000) FROM c; UPDATE big SET data = randomblob(2900) WHERE id %% 2 = 0;
			DELETE FROM big WHERE id %% 3 = 0`, 900+n(200))
	case 10: // and are taken back
		script := `INSERT INTO big (data) WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1200)
			SELECT randomblob(3000) FROM c`
		_, err := s.db.Batch(s.t.Context(), s.db.Prepare(script), s.db.Prepare("INSERT INTO pairs SELECT 'x', 1, 2 UNION ALL SELECT 'x', 1, 2"))
		if err == nil {
			s.t.Error("no error")
		}
	case 11:
		s.exec("DELETE FROM big WHERE id %% 4 < 3")
	case 12:
		modes := []string{"PASSIVE", "FULL", "RESTART"}
		raw(s.t, s.cfg.Path, "PRAGMA wal_checkpoint("+modes[n(3)]+")")
	case 13:
		if err := s.db.Close(); err != nil {
			s.t.Fatal(err)
		}
		s.open()
	case 14:
		if len(s.marks) > 0 {
			s.restore(s.marks[n(len(s.marks))])
		}
	}
}

// restore goes back to a moment, and checks that the database is as it was.
func (s *story) restore(m mark) {
	s.t.Helper()
	before := s.now()
	done, err := s.back.Restore(s.t.Context(), m.bookmark)
	if err != nil {
		s.t.Fatal(err)
	}
	if got := dump(s.t, s.cfg.Path); got != m.dump {
		s.t.Fatalf("the database is not as it was at %s", m.bookmark)
	}
	if now := s.now(); done.Previous != before || done.Bookmark != now {
		s.t.Errorf("restored from %s to %s, but it was %s and is %s", done.Previous, done.Bookmark, before, now)
	}
}

func (s *story) now() d1.Bookmark {
	s.t.Helper()
	b, err := s.back.BookmarkAt(s.t.Context(), time.Time{})
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// TestTravelThroughRandomHistory restores 50 moments of a random history, in which there
// are big transactions, reopenings, checkpoints and restores, while others read.
func TestTravelThroughRandomHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			s := &story{t: t, random: rand.New(rand.NewPCG(seed, 1)), cfg: embedded.Config{
				Path: filepath.Join(t.TempDir(), "test.db"), Retention: time.Hour, Sync: embedded.SyncOff, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
			}}
			s.open()
			defer func() { s.db.Close() }()
			s.exec(storySchema)
			stop := readAllTheTime(t, s.cfg.Path)
			for range 60 {
				s.step()
				s.marks = append(s.marks, mark{s.now(), time.Now(), dump(t, s.cfg.Path)})
			}
			stop()
			for range 50 {
				m := s.marks[s.random.IntN(len(s.marks))]
				if got, err := s.back.BookmarkAt(t.Context(), m.at); err != nil || got != m.bookmark {
					t.Errorf("at %v: bookmark %s, error %v; want %s", m.at, got, err, m.bookmark)
				}
				s.restore(m)
			}
		})
	}
}

// readAllTheTime keeps snapshots of a database open, one after the other, until stop is
// called.
func readAllTheTime(t *testing.T, path string) (stop func()) {
	db := d1.New(open(t, embedded.Config{Path: path}))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				rows, err := db.Query(ctx, "SELECT count(*), sum(length(data)) FROM big, people")
				if err != nil {
					continue
				}
				for rows.Next() {
					time.Sleep(5 * time.Millisecond)
				}
				rows.Close()
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
}
