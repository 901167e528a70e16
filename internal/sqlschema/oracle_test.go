package sqlschema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
	"github.com/ncruces/go-sqlite3/ext/rtree"

	"github.com/skylite-go/skylite/internal/sqlschema"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// schema has tables with awkward texts.
const schema = `
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email varchar( 255 ) UNIQUE, age int DEFAULT -1,
	active BOOLEAN NOT NULL DEFAULT TRUE, score double precision, photo blob, joined DATETIME DEFAULT CURRENT_TIMESTAMP,
	born date CHECK (born <> 'NOT NULL'), seen TIMESTAMP WITH TIME ZONE /* a, b */, plain, -- nothing
	balance DECIMAL(10, 2) NOT NULL ON CONFLICT ABORT, CONSTRAINT named UNIQUE (name, age), FOREIGN KEY (age) REFERENCES users (id) ON DELETE SET NULL);
CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL REFERENCES users (id), title TEXT,
	published DateTime NOT NULL, rating REAL, flags "weird ""type""", tags [list of text]);
CREATE TABLE tags (post_id INTEGER, tag TEXT COLLATE NOCASE, added TIMESTAMP, PRIMARY KEY (post_id, tag)) WITHOUT ROWID;
CREATE TABLE strict_one (a INT, b ANY, c TEXT, d REAL, e BLOB, f INTEGER, PRIMARY KEY (a, c)) STRICT;
CREATE TABLE made (a INTEGER, b INT GENERATED ALWAYS AS (a + 1), c DATE AS (date(a)) STORED, d generated always AS (1), e varchar(3) Generated  Always AS ('x') VIRTUAL NOT NULL);
CREATE TABLE "odd ""name""" ("a b" DATE, [c d] DATETIME, ` + "`e f`" + ` TIMESTAMP, 'g h' BOOLEAN, "from" date, "select" "date", 'type' 'DATETIME');
CREATE TABLE rowids (rowid TEXT, oid DATE, a);
CREATE TABLE keyed (code TEXT PRIMARY KEY, at DATETIME);
CREATE TABLE falling (id INTEGER PRIMARY KEY DESC, at DATE);
CREATE TABLE tabled (id INTEGER, at DATE, PRIMARY KEY (id DESC));
CREATE TABLE a (id INTEGER PRIMARY KEY, x DATE, y TEXT);
CREATE TABLE b (id INT, x DATETIME, z BOOLEAN);
CREATE TABLE c (id BIGINT, z TIMESTAMP, w REAL);
CREATE TABLE copied AS SELECT id, name, score, photo, joined, age + 1 AS more FROM users;
CREATE TABLE keywords (action DATE, key DATETIME, window TIMESTAMP, "end" DATE, replace BOOLEAN, first DATE, left_at DATE, "left" DATETIME, "full" TEXT, filter DATE, over DATETIME);
ALTER TABLE keyed ADD COLUMN later TIMESTAMP;
ALTER TABLE keyed RENAME COLUMN at TO since;
CREATE VIEW recent AS SELECT id, name, joined AS since, age + 1 FROM users WHERE joined > 1;
CREATE VIEW named (p, q, r) AS SELECT p.id, p.published, u.joined FROM posts p LEFT JOIN users AS u ON u.id = p.user_id;
CREATE VIEW over_view AS SELECT * FROM named JOIN recent ON recent.id = named.p;
CREATE VIEW both AS SELECT id, joined FROM users UNION ALL SELECT id, published FROM posts;
CREATE VIEW with_cte AS WITH q (d) AS (SELECT published FROM posts) SELECT d, (SELECT max(joined) FROM users) FROM q;
CREATE VIRTUAL TABLE search USING fts5(title, body UNINDEXED, content='posts', tokenize = "porter ascii");
CREATE VIRTUAL TABLE boxes USING rtree(id, min_x, max_x, +label TEXT);
`

// statements are what real programs send, and what real programs do not.
var statements = []string{
	"SELECT id, name, joined FROM users",
	"SELECT * FROM users",
	"select USERS.Id, uSeRs.JOINED from Users",
	"SELECT u.id, u.joined FROM users AS u WHERE u.id = ? ORDER BY u.joined LIMIT 1",
	"SELECT u.* FROM users u",
	"SELECT users.*, posts.published FROM users, posts",
	"SELECT main.users.joined, main.users.id FROM main.users",
	"SELECT joined AS at, joined at2, joined 'at3', joined \"at4\", joined [at5] FROM users",
	"SELECT (joined), ((users.joined)), (((id))) x, +joined, -id, joined || '', CAST(joined AS DATE), joined COLLATE nocase FROM users",
	"SELECT count(*), max(joined), min(born) m, coalesce(joined, 1), joined IS NULL, joined ISNULL FROM users",
	"SELECT DISTINCT joined, id FROM users", "SELECT ALL joined FROM users",
	"SELECT id IS DISTINCT FROM 3, joined, age IS NOT DISTINCT FROM id z FROM users",
	"SELECT rowid, oid, _rowid_, * FROM users", "SELECT rowid, oid, _rowid_ FROM posts p", "SELECT p.rowid FROM posts p", "SELECT ROWID FROM keyed",
	"SELECT rowid, oid, _rowid_ FROM rowids", "SELECT * FROM tags", "SELECT * FROM strict_one", "SELECT * FROM made", "SELECT * FROM copied", "SELECT * FROM keyed",
	"SELECT rowid, * FROM falling", "SELECT rowid, * FROM tabled",
	`SELECT * FROM "odd ""name"""`, `SELECT "a b", [c d], ` + "`e f`" + `, "g h", "from", "select", type FROM [odd "name"]`, `SELECT 'a b' FROM users`,
	`SELECT o."a b", o.'c d', o.[from] FROM "odd ""name""" o`,
	"SELECT action, key, window, \"end\", replace, first, left_at FROM keywords", "SELECT filter, over, action a, key as k FROM keywords",
	"SELECT left, full FROM keywords", "SELECT k.left, keywords.full FROM keywords k, keywords",
	"SELECT * FROM users JOIN posts ON posts.user_id = users.id", "SELECT * FROM users u LEFT JOIN posts p ON p.user_id = u.id AND p.rating IS DISTINCT FROM 3 WHERE p.id IS NULL",
	"SELECT * FROM a JOIN b USING (id)", "SELECT id, a.id, b.id, x FROM a JOIN b USING (id, x)", "SELECT * FROM a NATURAL JOIN b", "SELECT id, x, y, z FROM a NATURAL JOIN b",
	"SELECT * FROM a LEFT JOIN b USING (id)", "SELECT * FROM a RIGHT JOIN b USING (id)", "SELECT * FROM a FULL JOIN b USING (id)", "SELECT id FROM a RIGHT JOIN b USING (id)", "SELECT id FROM a FULL OUTER JOIN b USING (id)",
	"SELECT * FROM a JOIN b USING (id) JOIN c USING (id)", "SELECT * FROM a NATURAL JOIN b NATURAL JOIN c", "SELECT id, z FROM a JOIN b USING (id) LEFT JOIN c USING (id, z)",
	"SELECT * FROM a RIGHT JOIN b USING (id) LEFT JOIN c USING (id)", "SELECT id FROM a RIGHT JOIN b USING (id) LEFT JOIN c USING (id)", "SELECT id, * FROM a LEFT JOIN b USING (id) RIGHT JOIN c USING (id)", "SELECT id, * FROM a FULL JOIN b USING (id) FULL JOIN c USING (id)",
	"SELECT id, * FROM a NATURAL FULL JOIN b", "SELECT id, * FROM a NATURAL RIGHT OUTER JOIN b NATURAL LEFT JOIN c",
	"SELECT a.*, b.* FROM a JOIN b USING (id)", "SELECT b.*, * FROM a JOIN b USING (id)",
	"SELECT * FROM a CROSS JOIN b INNER JOIN c ON c.id = a.id", "SELECT * FROM a, b, c",
	"SELECT * FROM (a JOIN b ON a.id = b.id)", "SELECT * FROM (a JOIN b USING (id))", "SELECT * FROM c JOIN (a JOIN b USING (id)) ON 1", "SELECT * FROM c LEFT JOIN (a JOIN b USING (id)) ON c.id = a.id",
	"SELECT ab.y, ab.z FROM (a, b) AS ab", "SELECT ab.id, ab.z FROM (a JOIN b USING (id)) AS ab", "SELECT a.x, b.x, w FROM (a JOIN b USING (id)), c", "SELECT * FROM (a)", "SELECT * FROM ((a))", "SELECT z.* FROM (a) z", "SELECT * FROM ((SELECT * FROM a)) z",
	"SELECT * FROM (SELECT * FROM users)", "SELECT joined, id FROM (SELECT id, joined FROM users) AS s", "SELECT s.* FROM (SELECT joined AS j, id + 1, name n FROM users) s", "SELECT * FROM (SELECT id, id, joined AS id FROM users)",
	"SELECT * FROM (SELECT max(joined) FROM users)", "SELECT d FROM (SELECT joined AS d FROM users UNION SELECT published FROM posts)", "SELECT d FROM (SELECT joined AS d FROM users UNION ALL SELECT 1)", "SELECT d FROM (SELECT 1 AS d UNION ALL SELECT joined FROM users)",
	"SELECT joined FROM users UNION SELECT published FROM posts", "SELECT published FROM posts UNION ALL SELECT joined FROM users", "SELECT 1 UNION SELECT joined FROM users", "SELECT joined FROM users EXCEPT SELECT 1 INTERSECT SELECT 2 ORDER BY 1",
	"WITH q AS (SELECT id, joined FROM users) SELECT * FROM q", "WITH q (a, b) AS MATERIALIZED (SELECT id, joined FROM users) SELECT b, a FROM q", "WITH q AS NOT MATERIALIZED (SELECT joined FROM users), r AS (SELECT * FROM q) SELECT r.*, q.joined FROM q, r",
	"WITH users AS (SELECT published AS p FROM posts) SELECT * FROM users", "WITH users AS (SELECT published AS p FROM posts) SELECT * FROM main.users",
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n", "WITH RECURSIVE n (i, at) AS (SELECT id, joined FROM users UNION ALL SELECT i + 1, at FROM n WHERE i < 3) SELECT i, at FROM n",
	"WITH RECURSIVE tree AS (SELECT id, title, published FROM posts WHERE id = 1 UNION ALL SELECT p.id, p.title, p.published FROM posts p JOIN tree ON p.user_id = tree.id) SELECT * FROM tree",
	"WITH RECURSIVE n (i, at, r, t, b) AS (SELECT id, joined, score, name, active FROM users UNION SELECT i, at, r, t, b FROM n) SELECT * FROM n",
	"WITH q AS (SELECT 1) SELECT joined FROM users WHERE id IN q", "WITH q AS (SELECT joined FROM users) SELECT (SELECT joined FROM q)",
	"SELECT (SELECT joined FROM users), (SELECT joined AS x FROM users LIMIT 1) AS y, (SELECT max(joined) FROM users), (SELECT 1)", "SELECT ((SELECT joined FROM users)) z, (((SELECT id FROM posts)))",
	"SELECT id, (SELECT joined), (SELECT u.joined FROM posts), (SELECT p.published FROM posts p WHERE p.user_id = u.id) FROM users u", "SELECT (SELECT (SELECT joined)) FROM users", "SELECT (SELECT published FROM posts UNION SELECT joined FROM users)", "SELECT EXISTS (SELECT 1), id IN (SELECT 1) FROM users",
	"SELECT (SELECT id FROM posts) FROM users", "SELECT (VALUES (1)), (WITH q AS (SELECT joined FROM users) SELECT * FROM q)",
	"VALUES (1, 2), (3, 4)", "SELECT * FROM (VALUES (1, 2))", "SELECT column1 FROM (VALUES (1, 2))", "SELECT 1", "SELECT joined FROM users, (VALUES (1)) v", "SELECT * FROM users JOIN (VALUES (1)) v",
	"SELECT * FROM recent", "SELECT since, id FROM recent r", "SELECT * FROM named", "SELECT r, q, p FROM named", "SELECT * FROM over_view", "SELECT o.since, q FROM over_view o", "SELECT * FROM both", "SELECT * FROM with_cte", "SELECT d, \"(SELECT max(joined) FROM users)\" FROM with_cte",
	"WITH posts AS (SELECT 1 AS published) SELECT * FROM with_cte", "WITH q AS (SELECT 1 AS d) SELECT with_cte.* FROM with_cte, q",
	"SELECT * FROM search", "SELECT title, rank, search FROM search", "SELECT p.*, s.rank FROM posts p JOIN search s ON s.rowid = p.id", "SELECT *, rank FROM search, users", "SELECT id, label FROM boxes", "SELECT users.joined, boxes.min_x FROM boxes, users",
	"SELECT title, published FROM posts, json_each(posts.tags)", "SELECT posts.published, j.value FROM posts, json_each(posts.tags) AS j", "SELECT * FROM posts, json_each(tags)", "SELECT value, key, published FROM json_tree('[]') JOIN posts",
	"SELECT joined, email FROM users, pragma_table_info('users') AS t", "SELECT joined FROM users, pragma_table_info('posts')", "SELECT users.* FROM users, pragma_table_info('posts')", "SELECT (SELECT joined FROM pragma_table_info('posts')) FROM users",
	"SELECT * FROM sqlite_master", "SELECT type, sql, rootpage FROM sqlite_schema", "SELECT name FROM main.sqlite_master", "SELECT * FROM sqlite_sequence",
	"SELECT current_timestamp, current_date, null, joined FROM users", "SELECT true, false, active FROM users", "SELECT ?, :a, joined FROM users", "SELECT 1.5 x, 'a' b, x'00' c, ?1 d, joined FROM users",
	"SELECT case joined when 1 then 2 end, case when 1 then joined end z FROM users", "SELECT name LIKE 'a', name || 'b' c, name -> 'x' FROM users",
	"SELECT joined, row_number() OVER (PARTITION BY id ORDER BY joined) AS n, sum(age) OVER w x FROM users WINDOW w AS (ORDER BY id)", "SELECT joined, count(*) FILTER (WHERE id > 1) FROM users GROUP BY joined HAVING joined > 1", "SELECT joined FROM users WINDOW w AS (ORDER BY id)", "SELECT w.joined FROM users w WINDOW w AS (ORDER BY id)", "SELECT window.joined FROM users window",
	"SELECT joined FROM users INDEXED BY sqlite_autoindex_users_1", "SELECT u.joined FROM users u NOT INDEXED, posts NOT INDEXED", "SELECT joined FROM users GROUP BY joined", "SELECT users.joined FROM users ORDER BY (SELECT published FROM posts)",
	"SELECT joined FROM users WHERE id IN (SELECT user_id FROM posts UNION SELECT 1) UNION ALL SELECT 3 FROM posts", "-- comment, FROM\nSELECT /* a, */ joined -- b\n, id FROM users -- c",
	"SELECT joined,published FROM users LEFT JOIN posts ON users.id=posts.user_id LEFT OUTER JOIN tags ON tags.post_id=posts.id", "SELECT count(*) AS n, u.joined FROM users u GROUP BY u.joined ORDER BY n",
	"SELECT x.joined, y.joined FROM users x, users y", "SELECT users.joined FROM users, users AS u", "SELECT joined j FROM users WHERE j > 1",
	"EXPLAIN SELECT joined FROM users", "PRAGMA table_info(users)",
}

// gaps are the statements of which we know less than SQLite.
var gaps = map[string]bool{
	"SELECT (SELECT joined FROM pragma_table_info('posts')) FROM users": true,
}

func openDB(tb testing.TB) (*sqlite3.Conn, *sqlschema.Schema) {
	tb.Helper()
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	if err := errors.Join(fts5.Register(db), rtree.Register(db)); err != nil {
		tb.Fatal(err)
	}
	if err := db.Exec(schema); err != nil {
		tb.Fatal(err)
	}
	return db, readSchema(tb, db)
}

func readSchema(tb testing.TB, db *sqlite3.Conn) *sqlschema.Schema {
	tb.Helper()
	stmt, _, err := db.Prepare("SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'view')")
	if err != nil {
		tb.Fatal(err)
	}
	defer stmt.Close()
	var objects []sqlschema.Object
	for stmt.Step() {
		objects = append(objects, sqlschema.Object{Type: stmt.ColumnText(0), Name: stmt.ColumnText(1), SQL: stmt.ColumnText(2)})
	}
	return sqlschema.New(objects)
}

// compare reports how many columns of a statement SQLite gives a type that we do not. It
// fails the test for a wrong type, a wrong name or a wrong number of columns.
func compare(tb testing.TB, db *sqlite3.Conn, s *sqlschema.Schema, sql string) (missing []string, accepted bool) {
	tb.Helper()
	stmt, _, err := db.Prepare(sql)
	if err != nil || stmt == nil {
		return nil, false
	}
	defer stmt.Close()
	parsed, err := sqltext.Parse(sql)
	if err != nil {
		return nil, false
	}
	var got []sqlschema.Column
	ok := false
	if st := sqlschema.Parse(parsed); st != nil {
		got, ok = s.Resolve(st)
	}
	if ok && len(got) != stmt.ColumnCount() {
		tb.Errorf("%s\ngot %d columns, SQLite has %d", sql, len(got), stmt.ColumnCount())
		return nil, true
	}
	for i := range stmt.ColumnCount() {
		var c sqlschema.Column
		if ok {
			c = got[i]
		}
		want := stmt.ColumnDeclType(i)
		switch {
		case c.Type == want:
		case c.Type == "":
			missing = append(missing, stmt.ColumnName(i)+" "+want)
		case parsed.Kind != sqltext.Write:
			tb.Errorf("%s\ncolumn %d has type %q, SQLite says %q", sql, i+1, c.Type, want)
		}
		if c.Name != "" && !strings.EqualFold(c.Name, stmt.ColumnName(i)) {
			tb.Errorf("%s\ncolumn %d is called %q, by SQLite %q", sql, i+1, c.Name, stmt.ColumnName(i))
		}
	}
	return missing, true
}

func TestAgreesWithSQLite(t *testing.T) {
	t.Parallel()
	db, s := openDB(t)
	for _, sql := range statements {
		missing, accepted := compare(t, db, s, sql)
		if !accepted {
			_, _, err := db.Prepare(sql)
			t.Errorf("%s\nSQLite refuses it: %v", sql, err)
		}
		if (len(missing) > 0) != gaps[sql] {
			t.Errorf("%s\nnothing is known of %q", sql, missing)
		}
	}
}

// TestNotNull checks that SQLite refuses NULL wherever a column is said to be NOT NULL.
func TestNotNull(t *testing.T) {
	t.Parallel()
	db, s := openDB(t)
	if err := db.Exec("PRAGMA foreign_keys = off"); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"users", "posts", "tags", "strict_one", "keyed", "falling", "tabled", "a", "b", "rowids"} {
		columns, ok := s.Columns(table)
		if !ok {
			t.Fatal(table)
		}
		for _, c := range columns {
			// What keeps NULL out shows as a constraint, or in the value that took its place.
			sql := "INSERT INTO " + table + " SELECT "
			for i, other := range columns {
				if i > 0 {
					sql += ", "
				}
				switch {
				case other.Name == c.Name:
					sql += "NULL"
				case other.Type == "BLOB":
					sql += "x'00'"
				default:
					sql += "1"
				}
			}
			err := db.Exec("SAVEPOINT s; " + sql)
			null := false
			if err == nil {
				stmt, _, e := db.Prepare("SELECT count(*) FROM " + table + " WHERE " + sqltext.QuoteIdent(c.Name) + " IS NULL")
				if e != nil {
					t.Fatal(e)
				}
				null = stmt.Step() && stmt.ColumnInt(0) > 0
				stmt.Close()
			}
			if e := db.Exec("ROLLBACK TO s; RELEASE s"); e != nil {
				t.Fatal(e)
			}
			if null != (c.Null == sqlschema.Nullable) {
				t.Errorf("%s.%s: we say %d, SQLite takes NULL: %t, %v", table, c.Name, c.Null, null, err)
			}
		}
	}
}
