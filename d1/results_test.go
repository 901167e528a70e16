package d1_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
)

// fakeCursor gives results of one column "n", and checks that it is called in order.
type fakeCursor struct {
	t        *testing.T
	results  [][]int64
	failAt   string // "result 1" or "row 0.1": where err comes
	err      error
	closeErr error
	bookmark d1.Bookmark
	at, row  int
	failed   bool
	closed   bool
}

func newFake(t *testing.T, results ...[]int64) *fakeCursor {
	return &fakeCursor{t: t, results: results, at: -1, bookmark: "b"}
}

func (c *fakeCursor) check(place string) bool {
	c.t.Helper()
	if c.closed {
		c.t.Error("the cursor is used after Close")
	}
	c.failed = c.failed || place != "" && place == c.failAt
	return !c.failed
}

func (c *fakeCursor) NextResult() bool {
	c.at, c.row = c.at+1, -1
	return c.check(fmt.Sprint("result ", c.at)) && c.at < len(c.results)
}

func (c *fakeCursor) Next() bool {
	c.row++
	return c.check(fmt.Sprintf("row %d.%d", c.at, c.row)) && c.row < len(c.results[c.at])
}

func (c *fakeCursor) Columns() []string {
	c.check("")
	return []string{"n"}
}

func (c *fakeCursor) Row() []d1.Value {
	c.check("")
	return []d1.Value{d1.Integer(c.results[c.at][c.row])}
}

func (c *fakeCursor) Meta() d1.Meta {
	if c.row < len(c.results[c.at]) && !c.failed {
		c.t.Error("Meta is asked for before the end of the rows")
	}
	return d1.Meta{RowsRead: int64(len(c.results[c.at]))}
}

func (c *fakeCursor) Bookmark() d1.Bookmark { return c.bookmark }

func (c *fakeCursor) Err() error {
	if c.failed {
		return c.err
	}
	return nil
}

func (c *fakeCursor) Close() error {
	if c.closed {
		c.t.Error("the cursor is closed twice")
	}
	c.closed = true
	return c.closeErr
}

// read reads what step by step calls for: R NextResult, N Next, M Meta, C Close.
func read(results *d1.Results, steps string) string {
	var log []string
	for _, step := range steps {
		switch step {
		case 'R':
			log = append(log, fmt.Sprint(results.NextResult()))
		case 'N':
			if !results.Next() {
				log = append(log, "end")
				continue
			}
			n, _ := results.Row()[0].Int64()
			log = append(log, fmt.Sprint(n))
		case 'M':
			log = append(log, fmt.Sprint("read ", results.Meta().RowsRead))
		case 'V':
			log = append(log, fmt.Sprint(len(results.Columns()), " columns ", len(results.Row()), " values"))
		case 'E':
			log = append(log, fmt.Sprint(results.Err()))
		case 'C':
			log = append(log, fmt.Sprint("close ", results.Close()))
		}
	}
	return strings.Join(log, ", ")
}

func TestResults(t *testing.T) {
	t.Parallel()
	oops, broken := errors.New("oops"), errors.New("broken")
	for _, tt := range []struct {
		name, steps, want string
		change            func(*fakeCursor)
	}{
		{"all", "RNNNRNNRC", "true, 1, 2, end, true, 3, end, false, close <nil>", nil},
		{"rows skipped", "RNRNRC", "true, 1, true, 3, false, close <nil>", nil},
		{"meta reads on", "RMNMC", "true, read 2, end, read 2, close <nil>", nil},
		{"nothing read", "C", "close <nil>", nil},
		{"before the first result", "NVMEC", "end, 0 columns 0 values, read 0, <nil>, close <nil>", nil},
		{"after the last result", "RRRNRVC", "true, true, false, end, false, 0 columns 0 values, close <nil>", nil},
		{"after the end of the rows", "RNNNNVC", "true, 1, 2, end, end, 1 columns 0 values, close <nil>", nil},
		{"after Close", "RNCRNVMEC", "true, 1, close <nil>, false, end, 0 columns 0 values, read 0, <nil>, close <nil>", nil},
		{"error of a result", "RRNREC", "true, false, end, false, oops, close oops", func(c *fakeCursor) { c.failAt = "result 1" }},
		{"error of the first result", "REC", "false, oops, close oops", func(c *fakeCursor) { c.failAt = "result 0" }},
		{"error of a row", "RNNNREC", "true, 1, end, end, false, oops, close oops", func(c *fakeCursor) { c.failAt = "row 0.1" }},
		{"error of a skipped row", "RNREC", "true, 1, false, oops, close oops", func(c *fakeCursor) { c.failAt = "row 0.1" }},
		{"error of closing", "RNCEC", "true, 1, close broken, broken, close broken", func(c *fakeCursor) { c.closeErr = broken }},
		{"error before that of closing", "RNNCC", "true, 1, end, close oops, close oops", func(c *fakeCursor) { c.failAt, c.closeErr = "row 0.1", broken }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newFake(t, []int64{1, 2}, []int64{3})
			c.err = oops
			if tt.change != nil {
				tt.change(c)
			}
			if got := read(d1.NewResults(c), tt.steps); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// fakeBackend answers with the cursors it has, and keeps the requests.
type fakeBackend struct {
	cursors  []*fakeCursor
	requests []d1.Request
	err      error
}

func (b *fakeBackend) Do(_ context.Context, req d1.Request) (*d1.Results, error) {
	b.requests = append(b.requests, req)
	if b.err != nil {
		return nil, b.err
	}
	c := b.cursors[0]
	b.cursors = b.cursors[1:]
	return d1.NewResults(c), nil
}

func (b *fakeBackend) Close() error { return b.err }

func TestSession(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var cursors []*fakeCursor
	for _, bookmark := range []d1.Bookmark{"", "05", "03", "09"} {
		c := newFake(t, []int64{1})
		c.bookmark = bookmark
		cursors = append(cursors, c)
	}
	backend := &fakeBackend{cursors: cursors}
	db := d1.New(backend)
	session := db.WithSession("")
	want := []d1.Bookmark{"", "05", "05", "09"}
	for i := range want {
		if _, err := session.Run(ctx, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		if got := session.Bookmark(); got != want[i] {
			t.Errorf("after request %d the bookmark is %q, want %q", i+1, got, want[i])
		}
	}
	var sent []d1.Bookmark
	for _, req := range backend.requests {
		sent = append(sent, req.Bookmark)
	}
	if diff := cmp.Diff([]d1.Bookmark{d1.FirstUnconstrained, d1.FirstUnconstrained, "05", "05"}, sent); diff != "" {
		t.Error(diff)
	}
	backend.err = errors.New("no")
	if _, err := session.Run(ctx, "SELECT 1"); err != backend.err || session.Bookmark() != "09" {
		t.Errorf("error %v, bookmark %q", err, session.Bookmark())
	}
	if got := db.WithSession("04").Bookmark(); got != "04" {
		t.Errorf("a session from a bookmark has %q", got)
	}
}

// TestMissingResults checks answers that are shorter than their requests.
func TestMissingResults(t *testing.T) {
	t.Parallel()
	db := d1.New(&fakeBackend{cursors: []*fakeCursor{newFake(t), newFake(t, []int64{1})}})
	if _, err := db.Run(t.Context(), "SELECT 1"); err == nil {
		t.Error("no result: no error")
	}
	if _, err := db.Batch(t.Context(), db.Prepare("SELECT 1"), db.Prepare("SELECT 1")); err == nil {
		t.Error("one result of two: no error")
	}
}

// TestCheck checks what a DB refuses before anything is sent.
func TestCheck(t *testing.T) {
	t.Parallel()
	backend := &fakeBackend{}
	db := d1.New(backend)
	for _, tt := range []struct {
		name string
		s    d1.Statement
		want string
	}{
		{"empty", d1.Statement{}, "did not contain a statement"},
		{"only a comment", d1.Statement{SQL: "-- no"}, "did not contain a statement"},
		{"two statements", d1.Statement{SQL: "SELECT 1; SELECT 2"}, "more than one statement"},
		{"NUL", d1.Statement{SQL: "SELECT 1\x00"}, "NUL byte at offset 8"},
		{"too long", d1.Statement{SQL: strings.Repeat(" ", 100_001)}, "statement too long: SQLITE_TOOBIG"},
		{"too few arguments", d1.Statement{SQL: "SELECT ?, ?2", Args: []any{1}}, "2 parameters and was given 1"},
		{"too many arguments", d1.Statement{SQL: "SELECT 1", Args: []any{1}}, "0 parameters and was given 1"},
		{"number too large", d1.Statement{SQL: "SELECT ?101"}, "variable number must be between ?1 and ?100 at offset 7"},
		{"bad argument", d1.Statement{SQL: "SELECT ?, ?", Args: []any{1, struct{}{}}}, "argument 2: unsupported type"},
		{"long argument", d1.Statement{SQL: "SELECT ?", Args: []any{strings.Repeat("x", 2_000_001)}}, "argument 1: string or blob too big"},
	} {
		_, err := db.Do(t.Context(), d1.Request{Statements: []d1.Statement{{SQL: "SELECT 1"}, tt.s}})
		e, ok := err.(*d1.Error)
		if !ok || !d1.Unsent(err) || e.Statement != 1 || !strings.Contains(e.Message, tt.want) {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
	if len(backend.requests) > 0 {
		t.Error("something was sent")
	}
}

// TestArgumentsAreNotChanged checks that a request belongs to its caller.
func TestArgumentsAreNotChanged(t *testing.T) {
	t.Parallel()
	backend := &fakeBackend{cursors: []*fakeCursor{newFake(t, []int64{1})}}
	args := []any{"a", true, int64(1)}
	req := d1.Request{Statements: []d1.Statement{{SQL: "SELECT 1"}, {SQL: "SELECT ?, ?, ?", Args: args}}}
	results, err := d1.New(backend).Do(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer results.Close()
	if diff := cmp.Diff([]any{"a", true, int64(1)}, req.Statements[1].Args); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"a", int64(1), int64(1)}, backend.requests[0].Statements[1].Args); diff != "" {
		t.Error(diff)
	}
}
