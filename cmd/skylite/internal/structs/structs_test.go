package structs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/cmd/skylite/internal/structs"
	"github.com/skylite-go/skylite/cmd/skylite/internal/structs/testdata/models"
	"github.com/skylite-go/skylite/d1/dialect"
)

// TestTables reads from source what reflection finds in the program itself.
func TestTables(t *testing.T) {
	t.Parallel()
	got, err := structs.Tables("testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	var want []dialect.Table
	for _, v := range []any{models.Order{}, models.User{}} {
		table, err := dialect.TableOf(v)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, table)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got[1].Columns) != 17 {
		t.Errorf("users has %d columns", len(got[1].Columns))
	}
}

func TestTablesRefuses(t *testing.T) {
	t.Parallel()
	for want, source := range map[string]string{
		"expected":                      "package x\ntype T struct {",
		"x.go:3:8: T.B: a column has":   "package x\n\ntype T struct { A int `ddl:\"pk\"`; B chan int }",
		"declared in another package":   "package x\nimport \"other\"\ntype T struct { other.Base; A int `ddl:\"pk\"` }",
		"an embedded pointer":           "package x\ntype T struct { *B; A int `ddl:\"pk\"` }\ntype B struct{}",
		"without end":                   "package x\ntype T struct { _ int `ddl:\"table=t\"`; T }",
		"T.A: a column has no struct":   "package x\nimport \"net/url\"\ntype T struct { A url.URL `ddl:\"pk\"` }",
		"T.A: the ddl tag has \"nope\"": "package x\ntype T struct { A int `ddl:\"nope\"` }",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := structs.Tables(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := structs.Tables(filepath.Join(t.TempDir(), "nope")); err == nil {
		t.Error("there is no such folder")
	}
}
