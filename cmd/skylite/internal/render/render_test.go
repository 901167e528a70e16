package render

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
)

// cursor is an answer with one result for each element.
type cursor struct {
	results []result
	err     error // instead of the end
	at, row int
}

type result struct {
	columns []string
	rows    [][]d1.Value
}

func (c *cursor) NextResult() bool      { c.at++; c.row = 0; return c.at <= len(c.results) }
func (c *cursor) Columns() []string     { return c.results[c.at-1].columns }
func (c *cursor) Next() bool            { c.row++; return c.row <= len(c.results[c.at-1].rows) }
func (c *cursor) Row() []d1.Value       { return c.results[c.at-1].rows[c.row-1] }
func (c *cursor) Meta() d1.Meta         { return d1.Meta{RowsRead: 2, RowsWritten: 1} }
func (c *cursor) Bookmark() d1.Bookmark { return "" }
func (c *cursor) Close() error          { return nil }
func (c *cursor) Err() error {
	if c.at > len(c.results) {
		return c.err
	}
	return nil
}

func answer(results ...result) *d1.Results { return d1.NewResults(&cursor{results: results}) }

var kinds = result{
	columns: []string{"i", "r", "t", "b", "n", "i"},
	rows: [][]d1.Value{
		{d1.Integer(1), d1.Real(2), d1.Text([]byte("a\"<\n€")), d1.Blob([]byte{0, 255}), d1.Null(), d1.Integer(-7)},
		{d1.Integer(9223372036854775807), d1.Real(1e300), d1.Text(nil), d1.Blob(nil), d1.Null(), d1.Null()},
	},
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	sum, err := JSON(&b, answer(result{}, kinds, result{columns: []string{"none"}}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Summary{Statements: 3, Rows: 2, RowsRead: 6, RowsWritten: 3}, sum); diff != "" {
		t.Error(diff)
	}
	var got []struct {
		Results []json.RawMessage
		Success bool
		Meta    d1.Meta
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if len(got) != 3 || !got[1].Success || got[1].Meta.RowsRead != 2 || len(got[0].Results) != 0 || got[0].Results == nil {
		t.Fatalf("the answer is\n%s", b.String())
	}
	want := `{
        "i": -7,
        "r": 2,
        "t": "a\"<\n€",
        "b": [0, 255],
        "n": null
      }`
	if diff := cmp.Diff(want, string(got[1].Results[0])); diff != "" {
		t.Error(diff)
	}
}

func TestJSONNothing(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if _, err := JSON(&b, answer()); err != nil || b.String() != "[]\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	fault := errors.New("cut off")
	var b strings.Builder
	if _, err := JSON(&b, d1.NewResults(&cursor{results: []result{kinds}, err: fault})); !errors.Is(err, fault) {
		t.Errorf("JSON: %v", err)
	}
	if json.Valid([]byte(b.String())) {
		t.Error("half an answer looks like a whole one")
	}
	if _, err := Tables(&Table{W: &b}, d1.NewResults(&cursor{results: []result{kinds}, err: fault})); !errors.Is(err, fault) {
		t.Errorf("Tables: %v", err)
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if _, err := Tables(&Table{W: &b}, answer(kinds, result{}, result{columns: []string{"漢字"}})); err != nil {
		t.Fatal(err)
	}
	want := `
┌─────────────────────┬────────┬────────┬─────────┬────────┬────────┐
│ i                   │ r      │ t      │ b       │ n      │ i      │
├─────────────────────┼────────┼────────┼─────────┼────────┼────────┤
│                   1 │    2.0 │ a"<\n€ │ x'00ff' │ <NULL> │     -7 │
│ 9223372036854775807 │ 1e+300 │        │ x''     │ <NULL> │ <NULL> │
└─────────────────────┴────────┴────────┴─────────┴────────┴────────┘
┌──────┐
│ 漢字 │
├──────┤
└──────┘
`[1:]
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTableFits(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	table := &Table{W: &b, Width: 40}
	table.Header([]string{"id", "long", "longer"})
	for range sample + 10 {
		row := []Cell{{Text: "1", Right: true}, {Text: strings.Repeat("漢", 30)}, {Text: strings.Repeat("x", 5000)}}
		if err := table.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.End(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != sample+14 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if Width(line) > 40 || Width(line) != Width(lines[0]) {
			t.Fatalf("a line is %d wide: %s", Width(line), line)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":               "plain",
		"é漢👍":                 "é漢👍",
		"a\x1b[31m\r\n\t\x00": `a\x1b[31m\r\n\t\x00`,
		"\u0085\u202e\u2066x": `\u0085\u202e\u2066x`,
		"bad \xff\xfe":        `bad \xff\xfe`,
		"real \uFFFD":         "real \uFFFD",
	} {
		if got := Printable(text); got != want {
			t.Errorf("Printable(%q) is %s, want %s", text, got, want)
		}
	}
}
