package speculate_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/internal/speculate"
)

// message runs statements as one batch, and returns the text of its error.
func message(t *testing.T, db *d1.DB, statements ...string) string {
	t.Helper()
	batch := make([]*d1.Stmt, len(statements))
	for i, sql := range statements {
		batch[i] = db.Prepare(sql)
	}
	_, err := db.Batch(t.Context(), batch...)
	e, ok := errors.AsType[*d1.Error](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	return e.Message
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t, `CREATE TABLE t (a, "b c"); INSERT INTO t VALUES (1, 'it''s'), (2.5, x'00'), (NULL, 'a' || char(0) || 'b'), (-1e999, '')`)
	marks := speculate.NewMarks()
	const read = `SELECT a, "b c", a FROM t ORDER BY rowid -- so`
	names, _ := speculate.NamesTable(read)
	text := message(t, db, names, marks.AnswerRows(read, 3))
	kind, payload, _, err := marks.Read(text)
	if kind != speculate.Answer || err != nil {
		t.Fatalf("%s: kind %d, %v", text, kind, err)
	}
	table, err := speculate.DecodeTable(payload)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b c", "a"}, table.Columns); diff != "" {
		t.Error(diff)
	}
	want := [][]any{
		{int64(1), "it's", int64(1)}, {2.5, []byte{0}, 2.5}, {nil, "a\x00b", nil}, {math.Inf(-1), "", math.Inf(-1)},
	}
	for i, row := range table.Rows {
		got, err := speculate.DecodeRow(row)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("row %d: %s", i, diff)
		}
	}
	t.Run("cut", func(t *testing.T) {
		for i := range strings.LastIndex(text, "#'") {
			for _, damaged := range []string{text[:i], text[:i] + text[i+1:], text[:i] + "xy" + text[i:]} {
				if kind, got, _, err := marks.Read(damaged); kind == speculate.Answer && err == nil && got != payload {
					t.Errorf("%q passes for whole", damaged)
				}
			}
		}
	})
	t.Run("others'", func(t *testing.T) {
		if kind, _, _, _ := speculate.NewMarks().Read(text); kind != speculate.Other {
			t.Error("one database's answer passes for another's")
		}
	})
}

func TestGuards(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
	marks := speculate.NewMarks()
	if _, err := db.Run(t.Context(), marks.Guard("SELECT a FROM t", 1, "?", 3), "1;1"); err != nil {
		t.Error(err)
	}
	one, two := int64(1), int64(2)
	for name, text := range map[string]string{
		"rows":    message(t, db, marks.Guard("SELECT a FROM t", 1, "'1;2'", 7)),
		"changes": message(t, db, "UPDATE t SET a = 2", marks.Assert(&two, nil, 7)),
		"rowid":   message(t, db, "INSERT INTO t VALUES (5)", marks.Assert(&one, &one, 7)),
	} {
		kind, _, index, err := marks.Read(text)
		if kind != speculate.Conflict || index != 7 || err != nil {
			t.Errorf("%s: %s: kind %d, index %d, %v", name, text, kind, index, err)
		}
	}
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	want := []string{"1", "'a,''b'", "X'00FF'", "NULL", "CAST(X'00' AS TEXT)", "-1.5e-07"}
	if diff := cmp.Diff(want, speculate.Literals("1,'a,''b',X'00FF',NULL,TX'00',-1.5e-07")); diff != "" {
		t.Error(diff)
	}
}

func TestOriginal(t *testing.T) {
	t.Parallel()
	got := speculate.Original([]string{"id", "id:1", "a:1", "ID:2", "b:x", "b"})
	if diff := cmp.Diff([]string{"id", "id", "a:1", "ID", "b:x", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzDecode checks that no answer, whatever has become of it, is more than an error.
func FuzzDecode(f *testing.F) {
	for _, payload := range []string{"'a','b';2;1,'x';NULL,X'00'", "NULL;0;", "1,2", "'t','[]';'a';1;TX'00'", "1;'a';0;", "'a';9999999999;1"} {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		if table, err := speculate.DecodeTable(payload); err == nil && strings.Count(payload, ";") < len(table.Rows) {
			t.Errorf("%q: %d rows", payload, len(table.Rows))
		}
		_, _, _ = speculate.DecodeReport(payload)
		_, _, _ = speculate.DecodeLog(payload)
		_, _, _, _ = speculate.DecodeOne(payload)
		_, _ = speculate.DecodeRow(payload)
		_ = speculate.Literals(payload)
	})
}
