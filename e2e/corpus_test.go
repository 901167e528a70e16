package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/skylite-go/skylite/internal/jsjson"
)

// corpusCase is one case of corpus/*.json; see corpus/README.md.
type corpusCase struct {
	Name     string
	Note     string
	Expand   bool
	Requests []corpusRequest
	answers  []corpusAnswer // what D1 over REST gives
}

type corpusRequest struct {
	corpusStatement
	Batch      []corpusStatement
	Statements []string
}

type corpusStatement struct {
	SQL    string
	Params []any
}

// corpusAnswer is what workerd answered, recorded.
type corpusAnswer struct {
	Results []corpusResult
	Error   string
	Broken  bool
}

type corpusResult struct {
	Columns []string
	Rows    [][]any
	Meta    []any // changes, last_row_id, changed_db, size_after, rows_read, rows_written
}

// batch returns the statements of a request as the REST service runs them.
func (r corpusRequest) batch() []corpusStatement {
	switch {
	case len(r.Batch) > 0:
		return r.Batch
	case len(r.Statements) > 0:
		var batch []corpusStatement
		for _, sql := range r.Statements {
			batch = append(batch, corpusStatement{SQL: sql})
		}
		return batch
	}
	return []corpusStatement{r.corpusStatement}
}

// corpus reads the cases and their recorded answers, by file name.
func corpus(t *testing.T) map[string][]corpusCase {
	t.Helper()
	files, err := filepath.Glob("corpus/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	all := make(map[string][]corpusCase)
	for _, file := range files {
		var cases []corpusCase
		readJSON(t, file, &cases)
		var recorded struct {
			Cases []struct {
				Name             string
				Answers, Service []corpusAnswer
			}
		}
		readJSON(t, filepath.Join("corpus/recorded", filepath.Base(file)), &recorded)
		if len(recorded.Cases) != len(cases) {
			t.Fatalf("%s: %d cases, %d recorded; run npm run record", file, len(cases), len(recorded.Cases))
		}
		for i := range cases {
			c, r := &cases[i], recorded.Cases[i]
			if c.Name != r.Name {
				t.Fatalf("%s: case %q is recorded as %q; run npm run record", file, c.Name, r.Name)
			}
			if c.answers = r.Answers; r.Service != nil {
				c.answers = r.Service
			}
			if c.Expand {
				c.expand()
			}
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = cases
	}
	return all
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

var repeated = regexp.MustCompile(`\{\{([^{}]*)\*(\d+)\}\}`)

func expand(s string) string {
	return repeated.ReplaceAllStringFunc(s, func(m string) string {
		parts := repeated.FindStringSubmatch(m)
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			panic(err)
		}
		return strings.Repeat(parts[1], n)
	})
}

func (c *corpusCase) expand() {
	for i := range c.Requests {
		r := &c.Requests[i]
		r.corpusStatement.expand()
		for j := range r.Batch {
			r.Batch[j].expand()
		}
		for j := range r.Statements {
			r.Statements[j] = expand(r.Statements[j])
		}
	}
}

func (s *corpusStatement) expand() {
	s.SQL = expand(s.SQL)
	for i, p := range s.Params {
		if text, ok := p.(string); ok {
			s.Params[i] = expand(text)
		}
	}
}

// sameValue compares a value with a recorded one: JSON numbers are doubles,
// infinities are null, blobs are lists of bytes.
func sameValue(got, want any) bool {
	switch want := want.(type) {
	case nil:
		f, isFloat := got.(float64)
		return got == nil || isFloat && (math.IsInf(f, 0) || math.IsNaN(f))
	case float64:
		switch got := got.(type) {
		case int64:
			return float64(got) == want
		case float64:
			return got == want
		}
		return false
	case string:
		got, ok := got.(string)
		return ok && (got == want || toValid(got) == toValid(want))
	case []any:
		blob, ok := got.([]byte)
		if !ok || len(blob) != len(want) {
			return false
		}
		for i, b := range blob {
			if want[i] != float64(b) {
				return false
			}
		}
		return true
	}
	return false
}

// toValid replaces what is no UTF-8 as a JavaScript decoder does.
func toValid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var valid string
	if err := json.Unmarshal(jsjson.AppendText(nil, []byte(s)), &valid); err != nil {
		return err.Error()
	}
	return valid
}

func clip(v any) string {
	s := fmt.Sprint(v)
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}
