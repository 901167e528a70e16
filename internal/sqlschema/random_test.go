package sqlschema_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// generator makes statements, most of which SQLite accepts.
type generator struct {
	*rand.Rand
	depth int
	ctes  []string
}

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) maybe(percent int, s string) string {
	if g.IntN(100) < percent {
		return s
	}
	return ""
}

func (g *generator) relation() string {
	if len(g.ctes) > 0 && g.IntN(3) == 0 {
		return g.pick(g.ctes...)
	}
	return g.pick("a", "a", "b", "c", "users", "posts", "tags", "recent", "named", "both", "with_cte", "made", "keyed", "search", "main.b")
}

func (g *generator) name() string {
	return g.pick("id", "x", "y", "z", "w", "joined", "published", "name", "rowid", "since", "p", "d", "r", "at", "added", "\"ID\"", "[x]", "score")
}

func (g *generator) item() string {
	name := g.name()
	switch g.IntN(14) {
	case 0:
		return "*"
	case 1:
		return g.pick("s0", "s1", "a", "b") + ".*"
	case 2:
		return g.pick("s0", "s1", "a", "b", "c") + "." + name
	case 3:
		return "(" + name + ")" + g.maybe(50, " AS "+g.name())
	case 4:
		return name + " + 1" + g.maybe(60, " "+g.name())
	case 5:
		if g.depth < 3 {
			return "(" + g.query() + ")" + g.maybe(50, " "+g.name())
		}
	case 6:
		return "max(" + name + ") AS " + g.name()
	case 7:
		return name + " COLLATE nocase"
	}
	return name + g.maybe(30, " AS "+g.name())
}

func (g *generator) source(i int) string {
	s := g.relation()
	if g.depth < 3 && g.IntN(4) == 0 {
		s = "(" + g.query() + ")"
	}
	return s + g.maybe(60, fmt.Sprintf(" AS s%d", i))
}

func (g *generator) from() string {
	var b strings.Builder
	b.WriteString(g.source(0))
	for i := 1; g.IntN(3) == 0 && i < 4; i++ {
		switch how := g.pick(", ", " JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " NATURAL JOIN ", " NATURAL LEFT JOIN ", " NATURAL FULL OUTER JOIN ", " CROSS JOIN "); {
		case how == ", " || strings.Contains(how, "NATURAL"):
			b.WriteString(how + g.source(i))
		default:
			b.WriteString(how + g.source(i) + g.pick(" ON 1", " USING (id)", " USING (id, x)", " USING (x)", "", " ON s0.id IS DISTINCT FROM 1"))
		}
	}
	if s := b.String(); g.IntN(12) == 0 {
		return "(" + s + ")"
	}
	return b.String()
}

func (g *generator) query() string {
	g.depth++
	defer func() { g.depth-- }()
	before := g.ctes
	defer func() { g.ctes = before }()
	var b strings.Builder
	if g.IntN(6) == 0 {
		name := g.pick("q", "t", "a", "users")
		b.WriteString("WITH " + g.maybe(40, "RECURSIVE ") + name + g.maybe(30, " (id, x)") + " AS (" + g.query() + ") ")
		g.ctes = append(g.ctes[:len(g.ctes):len(g.ctes)], name)
	}
	for {
		b.WriteString("SELECT " + g.maybe(10, "DISTINCT ") + g.item())
		for g.IntN(2) == 0 {
			b.WriteString(", " + g.item())
		}
		b.WriteString(g.maybe(95, " FROM "+g.from()) + g.maybe(20, " WHERE 1") + g.maybe(5, " GROUP BY 1"))
		if g.IntN(8) > 0 {
			return b.String() + g.maybe(10, " LIMIT 1")
		}
		b.WriteString(g.pick(" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT "))
	}
}

func TestAgreesOnRandomStatements(t *testing.T) {
	t.Parallel()
	db, s := openDB(t)
	g := &generator{Rand: rand.New(rand.NewPCG(1, 2))}
	accepted, gaps := 0, 0
	for range 20_000 {
		sql := g.query()
		missing, ok := compare(t, db, s, sql)
		if ok {
			accepted++
		}
		if len(missing) > 0 {
			gaps++
			if gaps <= 20 {
				t.Logf("nothing is known of %q in\n%s", missing, sql)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d accepted, %d with gaps", accepted, gaps)
	if accepted < 1000 || gaps > accepted/50 {
		t.Errorf("SQLite accepts %d statements, and of %d of them we do not know all", accepted, gaps)
	}
}
