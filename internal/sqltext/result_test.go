package sqltext_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// resultTexts are statements that return rows.
var resultTexts = []string{
	"SELECT 1", "SELECT DISTINCT a, b FROM t", "SELECT ALL a FROM t;", "select a, (b), c || ',' from t where a in (1, 2)",
	"SELECT count(*), max(a, b), coalesce(a, b, c) FROM t", "SELECT a * b, a*2 FROM t", "SELECT (SELECT max(1, 2) FROM t) IS NULL, 2",
	"SELECT a IS DISTINCT FROM b, c FROM t", "SELECT a IS NOT DISTINCT FROM b FROM t", "SELECT CASE WHEN a THEN b ELSE c END, 1 FROM t",
	"SELECT 'a, b', 1 AS \"a, b\", 2 AS [a, b], `a` FROM t", "SELECT 1, 2 UNION SELECT 3, 4", "SELECT 1 AS \"from\", 2 x ORDER BY 1",
	"VALUES (1, 2, (3)), (4, 5, 6)", "VALUES (1)", "WITH x (a, b) AS (VALUES (1, 2)) SELECT a, b, a FROM x",
	"WITH x AS (SELECT 1, 2) SELECT 3 FROM x", "SELECT sum(a) OVER (PARTITION BY b, c), 2 FROM t WINDOW w AS (ORDER BY a)",
	"SELECT a, b FROM t GROUP BY a, b HAVING a > 1 LIMIT 1, 2", "SELECT -- one, two\n 1 /* , */, 2", "SELECT a -> '$', b ->> 'x,y' FROM t",
	"SELECT * FROM t", "SELECT t.*, 1 FROM t", "SELECT a, * FROM t",
}

func TestResultCount(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, text := range resultTexts {
		stmt, _, err := db.Prepare(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want := stmt.ColumnCount()
		stmt.Close()
		parsed, err := sqltext.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		n, ok := parsed.ResultCount()
		if star := text[len(text)-len("* FROM t"):] == "* FROM t" || text == "SELECT t.*, 1 FROM t"; ok == star || ok && n != want {
			t.Errorf("%s: %d columns, %v; SQLite says %d", text, n, ok, want)
		}
	}
}

func FuzzResultCount(f *testing.F) {
	for _, text := range resultTexts {
		f.Add(text)
	}
	db := openDB(f)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := sqltext.Parse(text)
		if err != nil || parsed.Fault.Refused() {
			return
		}
		_, _ = parsed.Returning()
		_, _ = parsed.PragmaSelect()
		_, _, _ = parsed.Unbalanced(), parsed.NamesCatalog(), parsed.ReadsData()
		n, ok := parsed.ResultCount()
		if !ok {
			return
		}
		stmt, _, err := db.Prepare(parsed.Text)
		if err != nil {
			return
		}
		defer stmt.Close()
		if want := stmt.ColumnCount(); n != want {
			t.Errorf("%q: %d columns, SQLite says %d", text, n, want)
		}
	})
}

func TestReturning(t *testing.T) {
	t.Parallel()
	type parts struct {
		List, Table          string
		Items, Tuples        int
		Star, One, Upsert    bool
		Columns              []string
		BehindColumns, After string
	}
	for _, tt := range []struct {
		text string
		want parts
	}{
		{"INSERT INTO t (a, \"b c\") VALUES (1, (2)) RETURNING id, a AS x",
			parts{List: " id, a AS x", Table: "t", Items: 2, Tuples: 1, One: true, Columns: []string{"a", "b c"}, BehindColumns: ") VALUES (1, (2)) "}},
		{"insert or replace into main.[t] values (1), (2) returning *", parts{List: " *", Table: "t", Items: 1, Tuples: 2, Star: true}},
		{"INSERT INTO t DEFAULT VALUES RETURNING a", parts{List: " a", Table: "t", Items: 1, One: true}},
		{"INSERT INTO t AS x (a) SELECT 1 RETURNING a", parts{List: " a", Table: "t", Items: 1, Columns: []string{"a"}, BehindColumns: ") SELECT 1 "}},
		{"INSERT INTO t (a) WITH c AS (VALUES (1)) SELECT * FROM c RETURNING a",
			parts{List: " a", Table: "t", Items: 1, Columns: []string{"a"}, BehindColumns: ") WITH c AS (VALUES (1)) SELECT * FROM c "}},
		{"INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = (2) WHERE c RETURNING t.a",
			parts{List: " t.a", Table: "t", Items: 1, Tuples: 1, One: true, Upsert: true}},
		{"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING RETURNING a", parts{List: " a", Table: "t", Items: 1, Tuples: 1, One: true}},
		{"WITH x AS (SELECT 1) DELETE FROM t WHERE a IN x RETURNING a, t.* ORDER BY a LIMIT 1",
			parts{List: " a, t.*", Table: "t", Items: 2, Star: true, After: " ORDER BY a LIMIT 1"}},
		{"UPDATE OR IGNORE \"a\"\"b\" AS x SET a = 1 RETURNING count(*)", parts{List: " count(*)", Table: `a"b`, Items: 1}},
	} {
		st, err := sqltext.Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := st.Returning()
		if !ok {
			t.Errorf("%s: not read", tt.text)
			continue
		}
		got := parts{List: st.Text[r.ListStart:r.ListEnd], Table: r.Table, Items: r.Items, Tuples: len(r.TupleEnds), Star: r.Star,
			One: r.One, Upsert: r.Upsert, Columns: r.Columns, After: st.Text[r.ListEnd:]}
		if len(r.Columns) > 0 {
			got.BehindColumns = st.Text[r.ColumnsEnd:r.Start]
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
	}
	for _, text := range []string{"SELECT 1", "DELETE FROM t", "INSERT INTO t VALUES (1)", "CREATE TABLE returning (a)"} {
		if st, err := sqltext.Parse(text); err != nil {
			t.Error(err)
		} else if _, ok := st.Returning(); ok {
			t.Errorf("%s: it returns nothing", text)
		}
	}
}

func TestPragmaSelect(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for text, want := range map[string]string{
		"PRAGMA table_info(t)":                  `SELECT * FROM "pragma_table_info"('t')`,
		"pragma Table_Info = \"my table\" -- x": `SELECT * FROM "pragma_table_info"('my table')`,
		"PRAGMA foreign_key_check":              `SELECT * FROM "pragma_foreign_key_check"`,
		"PRAGMA foreign_keys;":                  `SELECT * FROM "pragma_foreign_keys"`,
		"PRAGMA index_list('t''s')":             `SELECT * FROM "pragma_index_list"('t''s')`,
		"PRAGMA foreign_keys = 1":               "",
		"PRAGMA main.table_info(t)":             `SELECT * FROM "pragma_table_info"('t')`,
		"PRAGMA temp.table_info(t)":             "",
		"PRAGMA defer_foreign_keys(on)":         "",
		"SELECT 1":                              "",
	} {
		st, err := sqltext.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := st.PragmaSelect()
		if got != want && ok || ok != (want != "") {
			t.Errorf("%s: %q, %v", text, got, ok)
		}
		if want == "" {
			continue
		}
		if stmt, _, err := db.Prepare(want); err != nil {
			t.Errorf("%s: %v", want, err)
		} else {
			stmt.Close()
		}
	}
}

func TestReadsData(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"SELECT 1": false, "SELECT random(), CURRENT_TIMESTAMP": false, "VALUES (1)": false, "SELECT 'from'": false,
		"SELECT a FROM t": true, "SELECT (SELECT 1 FROM t)": true, "SELECT 1 IN t": true, "SELECT changes()": true,
		"SELECT last_insert_rowid()": true,
	} {
		st, err := sqltext.Parse(text)
		if err != nil || st.ReadsData() != want {
			t.Errorf("%s: %v, %v", text, !want, err)
		}
	}
}
