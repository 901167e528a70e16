package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/embedded"
)

// A table that is read has so many rows.
const tableRows = 10_000

const (
	makeUsers = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER, score REAL)"
	fillUsers = `INSERT INTO users WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 10000)
		SELECT i, 'user ' || i, 'user' || i || '@example.com', i % 90, i / 7.0 FROM c`
	makeNotes = "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER, body TEXT)"

	readOne   = "SELECT id, name, email, age, score FROM users WHERE id = ?"
	readMany  = "SELECT id, name, email, age, score FROM users WHERE id >= ? ORDER BY id LIMIT 100"
	insertOne = "INSERT INTO notes (author, body) VALUES (?, ?)"
	note      = "a note of some forty characters, or so it is"
	batchSize = 20
)

// embeddedContests put package d1/embedded beside the engine that it is made of, on a file
// of the same kind. What is under test syncs to disk as SQLite's NORMAL does, unless the
// contest says otherwise.
func embeddedContests() []Contest {
	contest := func(name string, units int, sync embedded.Sync, work func(e engines) []Subject) Contest {
		return Contest{Name: "embedded: " + name, Units: units, Allocs: true, Open: func(env *Env) ([]Subject, error) {
			e, err := openEngines(env, sync)
			return work(e), err
		}}
	}
	return []Contest{
		contest("read a row by its key", 1, embedded.SyncNormal, engines.point),
		contest("read 100 rows, a row", 100, embedded.SyncNormal, engines.many),
		contest("insert a row", 1, embedded.SyncNormal, engines.insert),
		contest("insert a row, synced", 1, embedded.SyncFull, engines.insert),
		contest("batch of 20 inserts, a row", batchSize, embedded.SyncNormal, engines.batch),
	}
}

// engines are the subjects, each on a file of its own.
type engines struct {
	raw    *raw
	native *d1.DB
	d1sql  *sql.DB
	peer   *sql.DB // the engine's own driver
}

func openEngines(env *Env, sync embedded.Sync) (e engines, err error) {
	dir, err := env.folder()
	if err != nil {
		return e, err
	}
	backend, err := embedded.Open(embedded.Config{Path: filepath.Join(dir, "skylite.db"), Sync: sync})
	if err != nil {
		return e, err
	}
	e.native = d1.New(backend)
	e.d1sql = d1sql.OpenDB(e.native)
	env.after(func() { _ = e.d1sql.Close() })
	level := "NORMAL"
	if sync == embedded.SyncFull {
		level = "FULL"
	}
	e.peer, err = sql.Open("sqlite3", fmt.Sprintf("file:%s?_pragma=journal_mode(wal)&_pragma=synchronous(%s)&_pragma=foreign_keys(on)",
		filepath.Join(dir, "peer.db"), level))
	if err != nil {
		return e, err
	}
	e.peer.SetMaxOpenConns(1)
	env.after(func() { _ = e.peer.Close() })
	if e.raw, err = openRaw(filepath.Join(dir, "raw.db"), level); err != nil {
		return e, err
	}
	env.after(e.raw.close)
	for _, statement := range []string{makeUsers, fillUsers, makeNotes} {
		_, err1 := e.native.Run(env.ctx, statement)
		_, err2 := e.peer.ExecContext(env.ctx, statement)
		if err = errors.Join(err1, err2, e.raw.Exec(statement)); err != nil {
			return e, err
		}
	}
	return e, e.raw.prepare()
}

func (e engines) point() []Subject {
	return []Subject{
		{Name: "engine, its own interface", Run: counting(e.raw.point)},
		{Name: "d1.DB", Run: counting(func(ctx context.Context, i int) error { return e.nativeRows(ctx, readOne, i, 1) })},
		{Name: "database/sql, d1", Run: counting(func(ctx context.Context, i int) error { return sqlRow(ctx, e.d1sql, i) })},
		{Name: "database/sql, the engine's driver", Run: counting(func(ctx context.Context, i int) error { return sqlRow(ctx, e.peer, i) })},
	}
}

func (e engines) many() []Subject {
	return []Subject{
		{Name: "engine, its own interface", Run: counting(e.raw.many)},
		{Name: "d1.DB", Run: counting(func(ctx context.Context, i int) error { return e.nativeRows(ctx, readMany, i%9900, 100) })},
		{Name: "database/sql, d1", Run: counting(func(ctx context.Context, i int) error { return sqlRows(ctx, e.d1sql, i%9900) })},
		{Name: "database/sql, the engine's driver", Run: counting(func(ctx context.Context, i int) error { return sqlRows(ctx, e.peer, i%9900) })},
	}
}

func (e engines) insert() []Subject {
	return []Subject{
		{Name: "engine, its own interface", Run: counting(e.raw.insert)},
		{Name: "d1.DB", Run: counting(func(ctx context.Context, i int) error {
			_, err := e.native.Run(ctx, insertOne, int64(i), note)
			return err
		})},
		{Name: "database/sql, d1", Run: counting(func(ctx context.Context, i int) error { return sqlInsert(ctx, e.d1sql, i) })},
		{Name: "database/sql, the engine's driver", Run: counting(func(ctx context.Context, i int) error { return sqlInsert(ctx, e.peer, i) })},
	}
}

func (e engines) batch() []Subject {
	statement := e.native.Prepare(insertOne)
	return []Subject{
		{Name: "engine, its own interface", Run: counting(e.raw.batch)},
		{Name: "d1.DB", Run: counting(func(ctx context.Context, i int) error {
			statements := make([]*d1.Stmt, batchSize)
			for j := range statements {
				statements[j] = statement.Bind(int64(i+j), note)
			}
			_, err := e.native.Batch(ctx, statements...)
			return err
		})},
		{Name: "database/sql, d1", Run: counting(func(ctx context.Context, i int) error { return sqlBatch(ctx, e.d1sql, i) })},
		{Name: "database/sql, the engine's driver", Run: counting(func(ctx context.Context, i int) error { return sqlBatch(ctx, e.peer, i) })},
	}
}

// counting makes a run of a piece of work that is told which time it is, over all runs. Its
// context cannot end: for one that can, database/sql starts a goroutine with each query.
func counting(work func(ctx context.Context, i int) error) func(context.Context, int) error {
	next := 0
	return func(ctx context.Context, n int) error {
		ctx = context.WithoutCancel(ctx)
		for range n {
			next++
			if err := work(ctx, next); err != nil {
				return err
			}
		}
		return nil
	}
}

func (e engines) nativeRows(ctx context.Context, query string, i, want int) error {
	results, err := e.native.Query(ctx, query, int64(i%tableRows+1))
	if err != nil {
		return err
	}
	n := 0
	for results.Next() {
		_ = results.Row()
		n++
	}
	return enough(n, want, results.Close())
}

func sqlRow(ctx context.Context, db *sql.DB, i int) error {
	var id, age int64
	var name, email sql.RawBytes
	var score float64
	rows, err := db.QueryContext(ctx, readOne, int64(i%tableRows+1))
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return errors.Join(rows.Err(), errors.New("no row"))
	}
	return rows.Scan(&id, &name, &email, &age, &score)
}

func sqlRows(ctx context.Context, db *sql.DB, i int) error {
	rows, err := db.QueryContext(ctx, readMany, int64(i%tableRows+1))
	if err != nil {
		return err
	}
	defer rows.Close()
	var id, age int64
	var name, email sql.RawBytes
	var score float64
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(&id, &name, &email, &age, &score); err != nil {
			return err
		}
	}
	return enough(n, 100, rows.Err())
}

func sqlInsert(ctx context.Context, db *sql.DB, i int) error {
	_, err := db.ExecContext(ctx, insertOne, int64(i), note)
	return err
}

func sqlBatch(ctx context.Context, db *sql.DB, i int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for j := range batchSize {
		if _, err := tx.ExecContext(ctx, insertOne, int64(i+j), note); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// raw is the engine through its own interface.
type raw struct {
	*sqlite3.Conn
	one, hundred, put, begin, commit *sqlite3.Stmt
}

func openRaw(path, level string) (*raw, error) {
	c, err := sqlite3.Open("file:" + path)
	if err != nil {
		return nil, err
	}
	return &raw{Conn: c}, c.Exec("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA synchronous=" + level)
}

func (r *raw) prepare() error {
	for sql, s := range map[string]**sqlite3.Stmt{
		readOne: &r.one, readMany: &r.hundred, insertOne: &r.put, "BEGIN IMMEDIATE": &r.begin, "COMMIT": &r.commit,
	} {
		var err error
		if *s, _, err = r.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return err
		}
	}
	return nil
}

func (r *raw) close() {
	for _, s := range []*sqlite3.Stmt{r.one, r.hundred, r.put, r.begin, r.commit} {
		_ = s.Close()
	}
	_ = r.Close()
}

func (r *raw) point(_ context.Context, i int) error { return r.read(r.one, i, 1) }

func (r *raw) many(_ context.Context, i int) error { return r.read(r.hundred, i%9900, 100) }

func (r *raw) read(s *sqlite3.Stmt, i, want int) error {
	if err := s.BindInt64(1, int64(i%tableRows+1)); err != nil {
		return err
	}
	n := 0
	for s.Step() {
		_, _, _, _, _ = s.ColumnInt64(0), s.ColumnRawText(1), s.ColumnRawText(2), s.ColumnInt64(3), s.ColumnFloat(4)
		n++
	}
	return enough(n, want, s.Reset())
}

func (r *raw) insert(_ context.Context, i int) error {
	if err := errors.Join(r.put.BindInt64(1, int64(i)), r.put.BindText(2, note)); err != nil {
		return err
	}
	r.put.Step()
	return r.put.Reset()
}

func (r *raw) batch(ctx context.Context, i int) error {
	r.begin.Step()
	if err := r.begin.Reset(); err != nil {
		return err
	}
	for j := range batchSize {
		if err := r.insert(ctx, i+j); err != nil {
			return err
		}
	}
	r.commit.Step()
	return r.commit.Reset()
}
