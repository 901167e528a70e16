package sqltext_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/internal/sqltext"
)

func BenchmarkSplitDump(b *testing.B) {
	var s strings.Builder
	s.WriteString("PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n")
	for i := range 20000 {
		fmt.Fprintf(&s, "INSERT INTO \"users\" (\"id\",\"name\") VALUES(%d,'it''s user number %d; no more');\n", i, i)
	}
	script := s.String()
	b.SetBytes(int64(len(script)))
	b.ReportAllocs()
	for b.Loop() {
		if n := len(sqltext.Split(script)); n != 20002 {
			b.Fatal(n)
		}
	}
}

const query = "SELECT u.id, u.name, count(*) FROM users AS u JOIN posts AS p ON p.user_id = u.id " +
	"WHERE u.id = ? AND p.created_at > ?2 GROUP BY u.id ORDER BY u.name LIMIT :limit"

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sqltext.Parse(query); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCacheHit(b *testing.B) {
	var c sqltext.Cache
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Parse(query); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRewriteLimit(b *testing.B) {
	st, err := sqltext.Parse("UPDATE t SET a = ? WHERE b = ? RETURNING c, ? ORDER BY d LIMIT ?")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, _ := st.RewriteLimit(nil); !ok {
			b.Fatal("not rewritten")
		}
	}
}
