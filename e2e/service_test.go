package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/server"
)

// serviceCase is a case of the corpus as text: requests go to the server as they are
// written, and answers are compared to the byte, so that every number and every escape
// is what JSON.stringify makes of it.
type serviceCase struct {
	Name     string
	Expand   bool
	Requests []serviceRequest
	answers  []serviceAnswer
}

type serviceRequest struct {
	SQL, Params, Batch json.RawMessage
}

type serviceAnswer struct {
	Results []serviceResult
	Error   string
	Broken  bool
}

type serviceResult struct {
	Columns []json.RawMessage
	Rows    [][]json.RawMessage
	Meta    []any
}

// serviceCorpus reads the cases and their recorded answers, by file name.
func serviceCorpus(t *testing.T) map[string][]serviceCase {
	t.Helper()
	files, err := filepath.Glob("corpus/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	all := make(map[string][]serviceCase)
	for _, file := range files {
		var cases []serviceCase
		readJSON(t, file, &cases)
		var recorded struct {
			Cases []struct{ Answers, Service []serviceAnswer }
		}
		readJSON(t, filepath.Join("corpus/recorded", filepath.Base(file)), &recorded)
		for i := range cases {
			c, r := &cases[i], recorded.Cases[i]
			if c.answers = r.Answers; r.Service != nil {
				c.answers = r.Service
			}
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = cases
	}
	return all
}

// body returns a request's body. What {{TEXT*N}} stands for is written out in the JSON,
// where TEXT is already escaped.
func (r serviceRequest) body(expanded bool) string {
	var body string
	switch {
	case r.Batch != nil:
		body = `{"batch":` + string(r.Batch) + `}`
	case r.Params != nil:
		body = `{"sql":` + string(r.SQL) + `,"params":` + string(r.Params) + `}`
	default:
		body = `{"sql":` + string(r.SQL) + `}`
	}
	if expanded {
		body = expand(body)
	}
	return body
}

// TestServerAgreesWithWorkerd runs the corpus through the HTTP server, on both of its
// routes, and compares the bytes of results, the errors and meta with what workerd
// answered.
func TestServerAgreesWithWorkerd(t *testing.T) {
	// Without the table that the service has in every database and workerd has not.
	open := func(path string, _ server.Place) (d1.Backend, error) {
		return embedded.Open(embedded.Config{Path: path, Readers: 1, Sync: embedded.SyncOff})
	}
	// A database in memory has one connection, a file has several, so each has faults
	// of its own.
	servers := map[string]*fixture{
		"raw":   serve(t, server.Config{OpenFile: open, DataDir: t.TempDir()}),
		"query": serve(t, server.Config{OpenFile: open}),
	}
	var tally tally
	known := newKnown(t, engineDifferences, serverDifferences)
	t.Cleanup(func() {
		tally.log(t)
		tally.checkFidelity(t)
	})
	for file, cases := range serviceCorpus(t) {
		for _, c := range cases {
			t.Run(file+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				tally.on(file, func(t *topic) { t.cases++ })
				for route, f := range servers {
					id := f.create(t, t.Name()+"/"+route)
					c.compare(t, f, file, "/d1/database/"+id+"/"+route, known, &tally)
					f.call(t, "DELETE", "/d1/database/"+id, "")
				}
			})
		}
	}
}

func (c serviceCase) compare(t *testing.T, f *fixture, file, path string, known *known, tally *tally) {
	for i, r := range c.Requests {
		want := c.answers[i]
		if want.Broken {
			return
		}
		body := r.body(c.Expand)
		diff := f.call(t, "POST", path, body).diff(file, want, strings.HasSuffix(path, "/raw"), tally)
		tally.request(file, want.Error != "", diff == "")
		if diff == "" {
			continue
		}
		if why := known.reason(file, c.Name, i+1); why != "" {
			t.Logf("request %d: known difference (%s): %s", i+1, why, diff)
			continue
		}
		t.Errorf("request %d: %s\nPOST %s %s", i+1, diff, path, clip(body))
	}
}

// diff returns how an answer differs from the recorded one.
func (e envelope) diff(file string, want serviceAnswer, raw bool, tally *tally) string {
	if want.Error != "" || !e.Success {
		got := apiMessage{}
		if len(e.Errors) > 0 {
			got = e.Errors[0]
		}
		if wanted := (apiMessage{7500, want.Error}); e.status != http.StatusBadRequest || got != wanted || e.Success {
			return fmt.Sprintf("%d %q, workerd %q", e.status, clip(got), clip(want.Error))
		}
		return ""
	}
	var results []struct {
		Results json.RawMessage
		Success bool
		Meta    map[string]any
	}
	if err := json.Unmarshal(e.Result, &results); err != nil {
		return err.Error()
	}
	if len(results) != len(want.Results) {
		return fmt.Sprintf("%d results, workerd %d", len(results), len(want.Results))
	}
	for i, r := range results {
		wanted := want.Results[i].objects()
		if raw {
			wanted = want.Results[i].lists()
		}
		if wanted != string(r.Results) {
			return fmt.Sprintf("statement %d: %s", i+1, firstDifference(string(r.Results), wanted))
		}
		got := make([]any, len(metaKeys))
		for j, key := range metaKeys {
			got[j] = r.Meta[key]
		}
		if d := tally.diffMeta(file, got, want.Results[i].Meta); d != "" || !r.Success {
			return fmt.Sprintf("statement %d: %s, success %v", i+1, d, r.Success)
		}
	}
	return ""
}

// firstDifference shows two texts from a little before they part.
func firstDifference(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	from := max(0, i-40)
	return fmt.Sprintf("from byte %d: %s\nworkerd: %s", from, clip(got[from:]), clip(want[from:]))
}

// lists writes a result as raw gives it.
func (r serviceResult) lists() string {
	var b bytes.Buffer
	b.WriteString(`{"columns":`)
	writeList(&b, r.Columns)
	b.WriteString(`,"rows":[`)
	for i, row := range r.Rows {
		if i > 0 {
			b.WriteByte(',')
		}
		writeList(&b, row)
	}
	b.WriteString(`]}`)
	return b.String()
}

func writeList(b *bytes.Buffer, list []json.RawMessage) {
	b.WriteByte('[')
	b.Write(bytes.Join(asBytes(list), []byte{','}))
	b.WriteByte(']')
}

func asBytes(list []json.RawMessage) (texts [][]byte) {
	for _, text := range list {
		texts = append(texts, text)
	}
	return texts
}

// objects writes a result as query gives it: each row is a JavaScript object, which
// has a key once, with its last value, and array indexes before other keys.
func (r serviceResult) objects() string {
	order, last := r.keys()
	var rows []string
	for _, row := range r.Rows {
		var members []string
		for _, key := range order {
			members = append(members, key+":"+string(row[last[key]]))
		}
		rows = append(rows, "{"+strings.Join(members, ",")+"}")
	}
	return "[" + strings.Join(rows, ",") + "]"
}

// keys returns the keys of a row's object in their order, and the column of each.
func (r serviceResult) keys() (order []string, last map[string]int) {
	last = make(map[string]int)
	for i, column := range r.Columns {
		if _, again := last[string(column)]; !again {
			order = append(order, string(column))
		}
		last[string(column)] = i
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(indexOf(a), indexOf(b)) })
	return order, last
}

// indexOf returns the array index that a key is, or a number beyond them all.
func indexOf(key string) uint64 {
	const none = 1<<32 - 1
	text := strings.Trim(key, `"`)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n >= none || strconv.FormatUint(n, 10) != text {
		return none
	}
	return n
}
