package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/d1/migrate"
)

func TestDown(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]migrate.Source{
		"files":    migrate.Files(fsOf("1_a.sql", tableA, "2_b.sql", tableB, "1_a.down.sql", "DROP TABLE a", "2_b.down.sql", "SELECT 1; DROP TABLE b;")),
		"wrangler": folder("1_a.sql", tableA, "2_b.sql", tableB, "down/1_a.down.sql", "DROP TABLE a", "down/2_b.down.sql", "DROP TABLE b;"),
		"values":   migrate.Values(migrate.Migration{Version: 1, SQL: tableA, Down: "DROP TABLE a"}, migrate.Migration{Version: 2, SQL: tableB, Down: "DROP TABLE b"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := d1test.Open(t)
			r := newRunner(t, db, source, migrate.Options{})
			if _, err := r.Down(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "nothing to undo") {
				t.Errorf("error %v", err)
			}
			run(t, db, source, migrate.Options{})
			if _, err := db.Run(t.Context(), "INSERT INTO b VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			result, err := r.Redo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "done again", versions(result.Applied), []int64{2})
			equal(t, "rows", column(t, db, "SELECT * FROM b"), []string(nil))
			applied, skipped := run(t, db, source, migrate.Options{})
			equal(t, "after it", fmt.Sprint(applied, skipped), "[] [1 2]")

			result, err = r.Down(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "undone", versions(result.Applied), []int64{2, 1})
			equal(t, "tables", column(t, db, "SELECT name FROM sqlite_master WHERE name IN ('a', 'b')"), []string(nil))
			applied, _ = run(t, db, source, migrate.Options{})
			equal(t, "applied", applied, []int64{1, 2})
		})
	}
}

func TestDownRefuses(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t)
	source := migrate.Values(migrate.Migration{Version: 1, Name: "one", SQL: tableA},
		migrate.Migration{Version: 2, Name: "two", SQL: tableB, Down: "DROP TABLE nope"})
	run(t, db, source, migrate.Options{})
	r := newRunner(t, db, source, migrate.Options{})
	_, err := r.Down(t.Context(), 2)
	if _, ok := errors.AsType[*migrate.InvalidError](err); !ok || !strings.Contains(err.Error(), `"one" (version 1): it has no down migration`) {
		t.Errorf("error %v", err)
	}
	_, err = r.Down(t.Context(), 1)
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Statement != 0 || !strings.Contains(err.Error(), "no such table: nope") {
		t.Errorf("error %v", err)
	}
	_, skipped := run(t, db, source, migrate.Options{})
	equal(t, "skipped", skipped, []int64{1, 2})
	withVacuum := migrate.Values(migrate.Migration{Version: 1, Name: "one", SQL: tableA, Down: "DROP TABLE a;\nVACUUM"})
	r = newRunner(t, db, withVacuum, migrate.Options{})
	if problems := r.Check(); len(problems) != 1 {
		t.Errorf("problems %v", problems)
	}
	_, err = r.Down(t.Context(), 1)
	if _, ok := errors.AsType[*migrate.InvalidError](err); !ok || !strings.Contains(err.Error(), "statement 2, line 2 (offset 14): in its down migration: D1 has no VACUUM") {
		t.Errorf("error %v", err)
	}
}

// traveler is a database that can travel in time.
type traveler struct {
	d1.Backend
	err error
}

const bookmark = d1.Bookmark("00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683")

func (traveler) Restore(context.Context, d1.Bookmark) (d1.Restored, error) {
	return d1.Restored{}, errors.ErrUnsupported
}

func (tr traveler) BookmarkAt(_ context.Context, at time.Time) (d1.Bookmark, error) {
	if !at.IsZero() {
		return "", errors.New("not now")
	}
	if tr.err != nil {
		return "", tr.err
	}
	return bookmark, nil
}

func TestBookmark(t *testing.T) {
	t.Parallel()
	source := migrate.Values(step(1, tableA))
	for name, c := range map[string]struct {
		err  error
		want d1.Bookmark
	}{
		"taken":       {nil, bookmark},
		"unsupported": {fmt.Errorf("old: %w", errors.ErrUnsupported), ""},
	} {
		db := d1.New(traveler{d1test.Open(t).Backend(), c.err})
		told := d1.Bookmark("")
		opts := migrate.Options{Before: func(_ context.Context, plan *migrate.Plan) error {
			told = plan.Bookmark
			equal(t, "tables before", column(t, db, "SELECT name FROM sqlite_master"), []string(nil))
			return nil
		}}
		result, err := newRunner(t, db, source, opts).Run(t.Context())
		if err != nil || result.Bookmark != c.want || told != c.want {
			t.Errorf("%s: %q, told %q, error %v", name, result.Bookmark, told, err)
		}
		// With nothing to do there is nothing to go back from.
		opts.Before = func(context.Context, *migrate.Plan) error { return errors.New("called") }
		if result, err := newRunner(t, db, source, opts).Run(t.Context()); err != nil || result.Bookmark != "" {
			t.Errorf("%s: %+v, error %v", name, result, err)
		}
	}

	failing := d1.New(traveler{d1test.Open(t).Backend(), errors.New("no answer")})
	refusing := migrate.Options{Before: func(context.Context, *migrate.Plan) error { return errors.New("no, thank you") }}
	for _, c := range []struct {
		db   *d1.DB
		opts migrate.Options
		want string
	}{{failing, migrate.Options{}, "no answer"}, {d1test.Open(t), refusing, "no, thank you"}} {
		if _, err := newRunner(t, c.db, source, c.opts).Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		equal(t, "tables", column(t, c.db, "SELECT name FROM sqlite_master"), []string(nil))
	}
}

// deaf loses the answer to the n-th write, before or after it runs.
type deaf struct {
	d1.Backend
	n      int
	before bool
	writes *int
}

func (d deaf) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	if !strings.HasPrefix(req.Statements[0].SQL, "INSERT") {
		return d.Backend.Do(ctx, req)
	}
	*d.writes++
	if *d.writes != d.n {
		return d.Backend.Do(ctx, req)
	}
	if !d.before {
		results, err := d.Backend.Do(ctx, req)
		if err != nil {
			return nil, err
		}
		results.Close()
	}
	return nil, &d1.Error{Message: "Network connection lost", Offset: -1, Statement: -1, Outcome: d1.OutcomeUnknown}
}

func TestLostAnswer(t *testing.T) {
	t.Parallel()
	source := migrate.Values(step(1, tableA), step(2, tableB), step(3, users))
	after := d1.New(deaf{d1test.Open(t).Backend(), 2, false, new(int)})
	applied, _ := run(t, after, source, migrate.Options{})
	equal(t, "applied", applied, []int64{1, 2, 3})

	before := d1.New(deaf{d1test.Open(t).Backend(), 2, true, new(int)})
	result, err := newRunner(t, before, source, migrate.Options{}).Run(t.Context())
	if !d1.Ambiguous(err) {
		t.Errorf("error %v", err)
	}
	equal(t, "applied", versions(result.Applied), []int64{1})
	applied, _ = run(t, before, source, migrate.Options{})
	equal(t, "applied at last", applied, []int64{2, 3})
}

// TestBookmarkOfAFile goes back to before a migration.
func TestBookmarkOfAFile(t *testing.T) {
	t.Parallel()
	backend, err := embedded.Open(embedded.Config{Path: filepath.Join(t.TempDir(), "test.db"), Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	defer db.Close()
	result, err := newRunner(t, db, migrate.Values(step(1, tableA)), migrate.Options{}).Run(t.Context())
	if err != nil || result.Bookmark == "" {
		t.Fatalf("%+v, error %v", result, err)
	}
	const tables = "SELECT count(*) FROM sqlite_master"
	if got := column(t, db, tables)[0]; got == "0" {
		t.Error("there are no tables")
	}
	if _, err := backend.Restore(t.Context(), result.Bookmark); err != nil {
		t.Fatal(err)
	}
	equal(t, "tables before", column(t, db, tables), []string{"0"})
}
