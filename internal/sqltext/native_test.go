package sqltext_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// TestRewriteLimitNatively compares with a shell of SQLite that knows ORDER BY
// and LIMIT itself, where there is one: what it refuses must stay refused after
// rewriting, and what it accepts must do the same.
func TestRewriteLimitNatively(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("no sqlite3 shell")
	}
	if options, _ := run(shell, "PRAGMA compile_options"); !strings.Contains(options, "ENABLE_UPDATE_DELETE_LIMIT") {
		t.Skip("the sqlite3 shell does not know UPDATE and DELETE with LIMIT")
	}
	for _, sql := range limited() {
		if testing.Short() && len(sql)%4 != 0 {
			continue
		}
		r, ok, err := sqltext.RewriteLimit(sql, keys)
		want, accepted := run(shell, effectScript(sql))
		switch {
		case err != nil && (accepted || !strings.Contains(want, err.Error())):
			t.Errorf("%q: got error %v, SQLite says %s", sql, err, want)
		case ok:
			got, same := run(shell, effectScript(r.Text))
			if same != accepted || accepted && got != want {
				t.Errorf("%q\nrewritten to %q\n got %s\nwant %s", sql, r.Text, got, want)
			}
		case err == nil && accepted && !strings.Contains(sql, "FROM u"):
			t.Errorf("%q was not rewritten", sql)
		}
	}
}

// limited returns statements, good and bad.
func limited() []string {
	var all []string
	for _, head := range []string{
		"DELETE FROM t", "DELETE FROM main.t AS x NOT INDEXED", "UPDATE t INDEXED BY t_a SET b = b + 1",
		"WITH q AS (SELECT 2) UPDATE OR IGNORE [t] SET (b, c) = (SELECT 1, 2)", "DELETE FROM w", "UPDATE k AS x SET v = 0", "DELETE FROM s",
		"UPDATE t SET b = u.b FROM u", "DELETE FROM t x",
	} {
		for _, tail := range []string{
			" LIMIT 1", " ORDER BY 1 DESC LIMIT 1 OFFSET 1", " ORDER BY 1", " WHERE a > 1 LIMIT 2", " WHERE a > 1 OR 1 RETURNING * ORDER BY a DESC LIMIT 1",
			" RETURNING a AS z, 1 LIMIT 2", " LIMIT 1 RETURNING *", " WHERE a IS NOT DISTINCT FROM 2 LIMIT 1 -- end", " WHERE 1) OR (1 LIMIT 1",
			" WHERE 1 UNION SELECT 1 LIMIT 1", " WHERE 1 GROUP BY a LIMIT 1", " WHERE 1 WINDOW z AS () LIMIT 1", " LIMIT 1 ORDER BY a",
			" WHERE 1 -- c\n RETURNING 1 /* d */ ORDER BY a -- e\n LIMIT 1 /* f */", ", u LIMIT 1", " JOIN u LIMIT 1", " LIMIT (SELECT 1", " LIMIT 1)",
		} {
			if strings.Contains(head, " k ") {
				tail = strings.ReplaceAll(tail, "a ", "v ")
			}
			all = append(all, head+tail)
		}
	}
	return all
}

func effectScript(sql string) string {
	return schema + ".headers on\n" + sql + "\n;SELECT * FROM t; SELECT * FROM w; SELECT * FROM k; SELECT * FROM s;"
}

func run(shell, script string) (string, bool) {
	cmd := exec.Command(shell, "-bail", ":memory:")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}
