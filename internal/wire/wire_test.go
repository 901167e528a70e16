package wire_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
	"github.com/skylite-go/skylite/internal/wire"
)

func encode(t testing.TB, statements ...d1.Statement) *wire.Request {
	t.Helper()
	r, err := wire.Encode(new(sqltext.Cache), d1.Request{Statements: statements})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEncode(t *testing.T) {
	t.Parallel()
	r := encode(t, d1.Statement{SQL: "SELECT ?, ?", Args: []any{"a\"\n", nil}},
		d1.Statement{SQL: "INSERT INTO t VALUES (?, ?, ?, ?)", Args: []any{int64(5), 1.0, []byte{0, 255}, []byte{}}})
	const want = `[{"sql":"SELECT ?, ?","params":["a\"\n",null]},{"sql":"INSERT INTO t VALUES (~-6, ?, ?, ?)","params":[1,[0,255],[]]}]`
	if string(r.Body) != want || !r.Writes {
		t.Errorf("got %s, writes %t", r.Body, r.Writes)
	}
	for name, s := range map[string]d1.Statement{
		"NaN": {SQL: "SELECT ?", Args: []any{math.NaN()}}, "text": {SQL: "SELECT ?", Args: []any{"\xff"}},
		"SQL": {SQL: "SELECT '\xff'"}, "type": {SQL: "SELECT ?", Args: []any{true}}, "nothing": {SQL: "--"},
	} {
		_, err := wire.Encode(new(sqltext.Cache), d1.Request{Statements: []d1.Statement{{SQL: "SELECT 1"}, s}})
		if e, ok := errors.AsType[*d1.Error](err); !ok || !d1.Unsent(err) || e.Statement != 1 {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func read(results *d1.Results) (columns []string, rows [][]any, err error) {
	for results.NextResult() {
		columns = results.Columns()
		for results.Next() {
			var row []any
			for _, v := range results.Row() {
				value, err := v.Any()
				if err != nil {
					value = "rounded"
				}
				row = append(row, value)
			}
			rows = append(rows, row)
		}
	}
	return columns, rows, results.Close()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, tt := range []struct {
		name, row string
		exact     bool
		want      []any
	}{
		{"values", `[1,1.5,null,"a",[0,255],[],""]`, false, []any{int64(1), 1.5, nil, "a", []byte{0, 255}, []byte{}, ""}},
		{"escapes", `["\"\\\/\n\t\r\b\f\u00e9\ud83d\ude48\ud83d x"]`, false, []any{"\"\\/\n\t\r\b\fé🙈\ufffd x"}},
		{"white space", " [ 1 ,\n\"a\" , [ 1 , 2 ] ] ", false, []any{int64(1), "a", []byte{1, 2}}},
		{"rounded", `[9007199254740991,9007199254740992,-9007199254740992,9223372036854775808]`, false,
			[]any{int64(1<<53 - 1), "rounded", "rounded", "rounded"}},
		{"beyond integers", `[92233720368547758080,1e+21,1e400]`, false, []any{9223372036854775808e1, 1e21, inf}},
		{"exact", `[9223372036854775807,-9223372036854775808,1.0,9e999,true,false]`, true,
			[]any{int64(math.MaxInt64), int64(math.MinInt64), 1.0, inf, int64(1), int64(0)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			columns := strings.TrimSuffix(strings.Repeat(`"a",`, len(tt.want)), ",")
			body := `[{"success":true,"meta":{"changes":3},"results":{"rows":[` + tt.row + "," + tt.row + `],"more":{"x":[1]},"columns":[` + columns + `]}}]`
			results, err := encode(t, d1.Statement{SQL: "SELECT 1"}).Results(wire.Answer{Body: []byte(body), Exact: tt.exact})
			if err != nil {
				t.Fatal(err)
			}
			names, rows, err := read(results)
			if diff := cmp.Diff([][]any{tt.want, tt.want}, rows); err != nil || diff != "" || len(names) != len(tt.want) {
				t.Errorf("%v, %v\n%s", names, err, diff)
			}
		})
	}
}

func TestDecodeNames(t *testing.T) {
	t.Parallel()
	r := encode(t, d1.Statement{SQL: "SELECT ?, ? AS b, ?+1", Args: []any{int64(1), int64(2), int64(3)}})
	results, err := r.Results(wire.Answer{Body: []byte(
		`[{"success":true,"results":{"columns":["~-2","b","~-4+1"],"rows":[]},"meta":{"served_by":"x"}}]`), Bookmark: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if columns, _, err := read(results); err != nil || strings.Join(columns, " ") != "? b ?+1" {
		t.Errorf("%q, %v", columns, err)
	}
	if results.Bookmark() != "b" {
		t.Errorf("bookmark %q", results.Bookmark())
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sql, body, message string
		outcome                  d1.Outcome
	}{
		{"D1's", "INSERT INTO t VALUES (1)", `{"success":false,"error":"no such table: t: SQLITE_ERROR"}`, "no such table: t: SQLITE_ERROR", d1.OutcomeRefused},
		{"in a list", "SELECT 1", `[{"success":false,"error":"D1_ERROR: boom"}]`, "boom", d1.OutcomeRefused},
		{"nameless", "SELECT 1", `[{"success":false}]`, "the statement failed", d1.OutcomeRefused},
		{"overloaded", "DELETE FROM t", `{"error":"D1 DB is overloaded. Too many requests queued."}`, "overloaded", d1.OutcomeUnsent},
		{"lost", "DELETE FROM t", `{"error":"Network connection lost."}`, "lost", d1.OutcomeUnknown},
		{"internal", "DELETE FROM t", `{"error":"internal error; reference = x"}`, "internal", d1.OutcomeUnknown},
		{"cut short", "DELETE FROM t", `[{"success":true,"results":{"columns":["a"],"rows":[[1]`, "malformed", d1.OutcomeUnknown},
		{"empty", "DELETE FROM t", ``, "malformed", d1.OutcomeUnknown},
		{"an open object", "DELETE FROM t", `{`, "malformed", d1.OutcomeUnknown},
		{"too few", "SELECT 1", `[]`, "0 results", d1.OutcomeRefused},
		{"too many", "SELECT 1", `[{"success":true},{"success":true}]`, "more results", d1.OutcomeRefused},
		{"objects", "SELECT 1", `[{"success":true,"results":[{"a":1}]}]`, "not lists", d1.OutcomeRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := encode(t, d1.Statement{SQL: tt.sql}).Results(wire.Answer{Body: []byte(tt.body)})
			e, ok := errors.AsType[*d1.Error](err)
			if !ok || !strings.Contains(e.Message, tt.message) || e.Outcome != tt.outcome {
				t.Errorf("error %+v", err)
			}
		})
	}
}

// FuzzResults reads whatever comes: it never panics, and never reads on for ever.
func FuzzResults(f *testing.F) {
	for _, body := range []string{
		`[{"success":true,"results":{"columns":["a","b"],"rows":[[1,"\u00e9"],[[1,2],null]]},"meta":{"changes":1}}]`,
		`{"success":false,"error":"x"}`, `[[[[`, `[{"results":{"rows":[[`, `[{"results":{"columns":["a"],"rows":[["\ud83d`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		results, err := encode(t, d1.Statement{SQL: "SELECT 1"}).Results(wire.Answer{Body: body})
		if err == nil {
			_, _, _ = read(results)
		}
	})
}

func BenchmarkResults(b *testing.B) {
	var rows strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rows, `%s[%d,"some text %d",1.25,null]`, strings.Repeat(",", min(i, 1)), i, i)
	}
	body := `[{"success":true,"results":{"columns":["a","b","c","d"],"rows":[` + rows.String() + `]},"meta":{}}]`
	r := encode(b, d1.Statement{SQL: "SELECT 1"})
	buf := make([]byte, len(body))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		copy(buf, body)
		results, err := r.Results(wire.Answer{Body: buf})
		if err != nil {
			b.Fatal(err)
		}
		for results.NextResult() {
			for results.Next() {
				_ = results.Row()
			}
		}
		results.Close()
	}
}
