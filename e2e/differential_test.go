package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// TestEmbeddedAgreesWithWorkerd runs the corpus on the embedded database and
// compares results, errors and meta with what workerd answered.
func TestEmbeddedAgreesWithWorkerd(t *testing.T) {
	var tally tally
	known := newKnown(t, engineDifferences, embeddedDifferences)
	t.Cleanup(func() { tally.log(t) })
	for file, cases := range corpus(t) {
		for _, c := range cases {
			t.Run(file+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				tally.on(file, func(t *topic) { t.cases++ })
				db, err := embedded.Open(embedded.Config{})
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				c.compare(t, file, known, &tally, func(batch []corpusStatement) ([]answered, error) {
					return runEmbedded(t.Context(), db, batch)
				})
			})
		}
	}
}

// answered is one statement's answer from the side under test.
type answered struct {
	columns []string
	rows    [][]any
	meta    d1.Meta
}

func runEmbedded(ctx context.Context, db d1.Backend, batch []corpusStatement) (answers []answered, err error) {
	var req d1.Request
	for _, s := range batch {
		req.Statements = append(req.Statements, d1.Statement{SQL: s.SQL, Args: jsonArgs(s.Params)})
	}
	results, err := db.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	defer results.Close()
	for results.NextResult() {
		a := answered{columns: slices.Clone(results.Columns())}
		for results.Next() {
			var row []any
			for _, v := range results.Row() {
				value, err := v.Any()
				if err != nil {
					return nil, err
				}
				row = append(row, value)
			}
			a.rows = append(a.rows, row)
		}
		a.meta = results.Meta()
		answers = append(answers, a)
	}
	return answers, results.Close()
}

// jsonArgs binds what came from JSON as D1 does: numbers and booleans as REAL.
func jsonArgs(params []any) []any {
	var args []any
	for _, p := range params {
		switch p := p.(type) {
		case bool:
			b := 0.0
			if p {
				b = 1
			}
			args = append(args, b)
		case []any:
			blob := []byte{}
			for _, b := range p {
				blob = append(blob, byte(b.(float64)))
			}
			args = append(args, blob)
		default:
			args = append(args, p)
		}
	}
	return args
}

// compare runs a case's requests and compares each answer with the recorded one.
func (c corpusCase) compare(t *testing.T, file string, known *known, tally *tally, run func([]corpusStatement) ([]answered, error)) {
	for i, r := range c.Requests {
		want := c.answers[i]
		if want.Broken {
			return
		}
		got, err := run(r.batch())
		var diff string
		switch {
		case want.Error != "" || err != nil:
			if text := messageOf(err); text != want.Error {
				diff = fmt.Sprintf("error %q, workerd %q", clip(text), clip(want.Error))
			}
		case len(got) != len(want.Results):
			diff = fmt.Sprintf("%d results, workerd %d", len(got), len(want.Results))
		default:
			for j := range got {
				if d := got[j].diff(file, want.Results[j], tally); d != "" {
					diff = fmt.Sprintf("statement %d: %s", j+1, d)
					break
				}
			}
		}
		tally.request(file, want.Error != "", diff == "")
		if diff == "" {
			continue
		}
		if why := known.reason(file, c.Name, i+1); why != "" {
			t.Logf("request %d: known difference (%s): %s", i+1, why, diff)
			continue
		}
		t.Errorf("request %d: %s\n%s", i+1, diff, clip(r.batch()))
	}
}

func messageOf(err error) string {
	if e, ok := errors.AsType[*d1.Error](err); ok {
		return e.Message
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func (a answered) diff(file string, want corpusResult, tally *tally) string {
	if len(a.columns)+len(want.Columns) > 0 && !slices.Equal(a.columns, want.Columns) {
		return fmt.Sprintf("columns %q, workerd %q", clip(a.columns), clip(want.Columns))
	}
	if len(a.rows) != len(want.Rows) {
		return fmt.Sprintf("%d rows, workerd %d", len(a.rows), len(want.Rows))
	}
	for i := range a.rows {
		for j := range a.rows[i] {
			if !sameValue(a.rows[i][j], want.Rows[i][j]) {
				return fmt.Sprintf("row %d column %d: %v (%T), workerd %v", i+1, j+1, clip(a.rows[i][j]), a.rows[i][j], clip(want.Rows[i][j]))
			}
		}
	}
	m := a.meta
	return tally.diffMeta(file, []any{float64(m.Changes), float64(m.LastRowID), m.ChangedDB, float64(m.SizeAfter),
		float64(m.RowsRead), float64(m.RowsWritten)}, want.Meta)
}
