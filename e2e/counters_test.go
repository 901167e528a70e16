package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// TestCountersOfRandomStatements runs statements that it makes up on the embedded database
// and on workerd, and holds what they have read and written side by side. The variable
// says how many databases; each has some fifty statements.
func TestCountersOfRandomStatements(t *testing.T) {
	open := startWorkerd(t)
	databases := 4
	if n, err := strconv.Atoi(os.Getenv("SKYLITE_COUNTERS_DATABASES")); err == nil {
		databases = n
	}
	var tally counterTally
	for seed := range databases {
		g := newGenerator(uint64(seed))
		local, err := embedded.Open(embedded.Config{})
		if err != nil {
			t.Fatal(err)
		}
		sides := []d1.Backend{local, open(t)}
		for _, sql := range g.statements(50) {
			var got [2][2]float64
			var failed [2]bool
			for i, side := range sides {
				meta, err := runOnce(t.Context(), side, sql)
				failed[i] = err != nil
				got[i] = [2]float64{float64(meta.RowsRead), float64(meta.RowsWritten)}
			}
			if failed[0] != failed[1] {
				t.Fatalf("database %d: only one side refuses %s", seed, sql)
			}
			if !failed[0] {
				tally.add(sql, got[0], got[1])
			}
		}
		local.Close()
	}
	tally.log(t)
	all := tally.total()
	if 10*all[0].exact < 7*all[0].all() || 100*all[1].exact < 95*all[1].all() {
		t.Errorf("exact are read %v, written %v: less than 70 and 95 %%", all[0], all[1])
	}
}

// runOnce runs one statement to its end.
func runOnce(ctx context.Context, db d1.Backend, sql string) (d1.Meta, error) {
	results, err := db.Do(ctx, d1.Request{Statements: []d1.Statement{{SQL: sql}}})
	if err != nil {
		return d1.Meta{}, err
	}
	defer results.Close()
	var meta d1.Meta
	for results.NextResult() {
		for results.Next() {
		}
		meta = results.Meta()
	}
	return meta, results.Close()
}

// generator makes up statements for one database.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// maybe returns one of the texts, or as often nothing.
func (g generator) maybe(of ...string) string {
	if g.IntN(2) == 0 {
		return ""
	}
	return g.pick(of...)
}

// statements returns those that make the database, and some that use it.
func (g generator) statements(n int) []string {
	list := []string{
		"CREATE TABLE p (id INTEGER PRIMARY KEY, a INTEGER, b TEXT" + g.maybe(", UNIQUE (a, b)") + ")",
		"CREATE TABLE q (id INTEGER PRIMARY KEY" + g.maybe(" AUTOINCREMENT") + ", p INTEGER" +
			g.maybe(" REFERENCES p ON DELETE CASCADE", " REFERENCES p ON DELETE SET NULL") + ", c INTEGER, d REAL)",
		"CREATE TABLE r (k TEXT, n INTEGER, v, PRIMARY KEY (k, n))" + g.maybe(" WITHOUT ROWID"),
		"CREATE INDEX q_p ON q (p" + g.maybe(", c", ", d") + ")",
	}
	list = append(list, g.maybe("CREATE INDEX p_a ON p (a)", "CREATE INDEX p_b ON p (b) WHERE a > 2", "CREATE INDEX p_e ON p (a + 1)"),
		g.maybe("CREATE TRIGGER t AFTER UPDATE ON q BEGIN INSERT INTO r VALUES ('log', new.id, new.c) ON CONFLICT DO NOTHING; END",
			"CREATE TRIGGER t AFTER DELETE ON q WHEN old.c > 2 BEGIN UPDATE p SET a = a + 1 WHERE id = old.p; END"))
	for i := range 3 {
		list = append(list, g.fill(i))
	}
	for range n {
		if g.IntN(3) > 0 {
			list = append(list, g.query())
		} else {
			list = append(list, g.write())
		}
	}
	var all []string
	for _, sql := range list {
		if sql != "" {
			all = append(all, sql)
		}
	}
	return all
}

// fill inserts rows into a table.
func (g generator) fill(table int) string {
	var rows []string
	for i := range 1 + g.IntN(40) {
		rows = append(rows, []string{
			fmt.Sprintf("(%d, %d, 'b%d')", i+1, g.IntN(8), i),
			fmt.Sprintf("(%d, %s, %d, %d.5)", i+1, g.pick("NULL", "1", fmt.Sprint(1+g.IntN(40))), g.IntN(6), g.IntN(9)),
			fmt.Sprintf("('k%d', %d, %s)", g.IntN(6), i, g.pick("1", "'x'", "NULL")),
		}[table])
	}
	return fmt.Sprintf("INSERT OR IGNORE INTO %s VALUES %s", []string{"p", "q", "r"}[table], strings.Join(rows, ", "))
}

func (g generator) number() string { return fmt.Sprint(g.IntN(9)) }

func (g generator) onP() string {
	return g.pick("p.a = "+g.number(), "p.a > "+g.number(), "p.id = "+g.number(), "p.id < "+g.number(), "p.b LIKE 'b1%'",
		"p.a IN (1, 3, "+g.number()+")", "p.a + 1 = "+g.number())
}

func (g generator) onQ() string {
	return g.pick("q.c = "+g.number(), "q.p = "+g.number(), "q.d > "+g.number(), "q.p IS NULL", "q.id BETWEEN 3 AND "+g.number(),
		"q.c IN (SELECT n FROM r WHERE k = 'k1')")
}

func (g generator) order(columns ...string) string {
	return g.maybe(" ORDER BY "+g.pick(columns...)+g.maybe(" DESC")) + g.maybe(" LIMIT "+fmt.Sprint(1+g.IntN(9))+g.maybe(" OFFSET 2"))
}

func (g generator) query() string {
	switch g.IntN(9) {
	case 0:
		return "SELECT * FROM p WHERE " + g.onP() + g.maybe(" AND "+g.onP(), " OR "+g.onP()) + g.order("a", "b", "id")
	case 1:
		return "SELECT p.a, q.c FROM p JOIN q ON q.p = p.id WHERE " + g.onP() + g.maybe(" AND "+g.onQ()) + g.order("q.c", "p.id", "q.d")
	case 2:
		return "SELECT p.id, q.id FROM p LEFT JOIN q ON q.p = p.id" + g.maybe(" AND "+g.onQ()) + g.maybe(" WHERE "+g.onP()) + g.order("p.b", "q.id")
	case 3:
		return "SELECT q.id, p.b FROM q LEFT JOIN p ON p.id = q.p WHERE " + g.onQ() + g.order("q.id", "p.a")
	case 4:
		return "SELECT p.a, count(*), sum(q.d) FROM p JOIN q ON q.p = p.id" + g.maybe(" WHERE "+g.onQ()) + " GROUP BY p.a" + g.maybe(" HAVING count(*) > 1") + g.order("1", "2")
	case 5:
		return "SELECT * FROM p JOIN q ON q.p = p.id JOIN r ON r.n = q.c" + g.maybe(" AND r.k = 'k2'") + " WHERE " + g.onP() + g.maybe(" AND "+g.onQ())
	case 6:
		return g.pick("SELECT count(*) FROM p", "SELECT max(a), min(id) FROM p", "SELECT DISTINCT a FROM p", "SELECT count(*) FROM q WHERE "+g.onQ(),
			"SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM r)", "SELECT k, count(*) FROM r GROUP BY k")
	case 7:
		return "SELECT id FROM p WHERE " + g.pick("EXISTS", "NOT EXISTS") + " (SELECT 1 FROM q WHERE q.p = p.id AND " + g.onQ() + ")" + g.order("a")
	}
	return g.pick("SELECT id, row_number() OVER (PARTITION BY c ORDER BY d, id) FROM q WHERE "+g.onQ(),
		"SELECT a FROM p WHERE "+g.onP()+" UNION SELECT c FROM q WHERE "+g.onQ(),
		"WITH x AS (SELECT p, sum(c) AS s FROM q GROUP BY p) SELECT * FROM p JOIN x ON x.p = p.id WHERE "+g.onP(),
		"WITH RECURSIVE x (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < 9) SELECT * FROM x JOIN p ON p.id = x.i WHERE "+g.onP())
}

func (g generator) write() string {
	switch g.IntN(7) {
	case 0:
		return fmt.Sprintf("INSERT %sINTO p (a, b) VALUES (%s, 'n%d'), (%s, 'b%d')%s", g.maybe("OR IGNORE ", "OR REPLACE "), g.number(), g.IntN(99), g.number(), g.IntN(20), g.maybe(" RETURNING id"))
	case 1:
		return fmt.Sprintf("INSERT INTO r VALUES ('k%d', %d, 1) ON CONFLICT (k, n) DO UPDATE SET v = 2", g.IntN(6), g.IntN(40))
	case 2:
		return "UPDATE q SET c = c + 1 WHERE " + g.onQ() + g.maybe(" RETURNING id")
	case 3:
		return "UPDATE p SET a = " + g.number() + " WHERE " + g.onP()
	case 4:
		return "DELETE FROM q WHERE " + g.onQ()
	case 5:
		return "DELETE FROM p WHERE p.id = " + fmt.Sprint(g.IntN(40))
	}
	return g.pick("UPDATE r SET v = n WHERE k = 'k"+g.number()+"'", "DELETE FROM r WHERE n > "+fmt.Sprint(20+g.IntN(20)),
		"UPDATE q SET d = (SELECT a FROM p WHERE p.id = q.p) WHERE "+g.onQ(), "INSERT INTO q (p, c) SELECT id, a FROM p WHERE "+g.onP(),
		"UPDATE q SET c = p.a FROM p WHERE p.id = q.p AND "+g.onP(), "DELETE FROM q ORDER BY d LIMIT 2")
}
