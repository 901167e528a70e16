package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
)

func TestParseScript(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"one":                 {text: "SELECT 1", want: []string{"SELECT 1"}},
		"byte order mark":     {text: "\uFEFFSELECT 1;", want: []string{"SELECT 1"}},
		"comments between":    {text: "-- a\n;SELECT 1;/* b */;", want: []string{"SELECT 1"}},
		"wrapped":             {text: "BEGIN;SELECT 1;COMMIT;", want: []string{"SELECT 1"}},
		"dump":                {text: "PRAGMA a;begin transaction;SELECT 1;SELECT 2;end", want: []string{"PRAGMA a", "SELECT 1", "SELECT 2"}},
		"not from the start":  {text: "SELECT 1;BEGIN;COMMIT", want: []string{"SELECT 1", "BEGIN", "COMMIT"}},
		"not to the end":      {text: "BEGIN;COMMIT;SELECT 1", want: []string{"BEGIN", "COMMIT", "SELECT 1"}},
		"rolled back":         {text: "BEGIN;SELECT 1;ROLLBACK", want: []string{"BEGIN", "SELECT 1", "ROLLBACK"}},
		"several":             {text: "BEGIN;COMMIT;BEGIN;COMMIT", want: []string{"BEGIN", "COMMIT", "BEGIN", "COMMIT"}},
		"nothing":             {text: " -- nothing", err: "no statement"},
		"nothing wrapped":     {text: "BEGIN;COMMIT", err: "no statement"},
		"a database":          {text: "SQLite format 3\x00\x10", err: "SQLite database"},
		"not UTF-8":           {text: "SELECT '\xff'", err: "UTF-8"},
		"a trigger is one":    {text: "CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; END;", want: []string{"CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; END"}},
		"semicolon in a text": {text: "SELECT ';'", want: []string{"SELECT ';'"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := parseScript(tt.text)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, st := range s.request().Statements {
				got = append(got, strings.TrimSpace(st.SQL))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	s, err := parseScript("SELECT 1;\n\nSELECT 2\n  FROM nope;\nSELECT 3")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		statement, offset int
		want              string
	}{
		{0, -1, "line 1: "},
		{1, -1, "line 3: "},
		{1, 18, "line 4: "},
		{2, 1000, "line 5: "},
		{-1, -1, ""},
		{3, -1, ""},
	} {
		e := d1.NewError("no such table: nope")
		e.Statement, e.Offset = tt.statement, tt.offset
		got := s.locate(e)
		if tt.want == "" && got != error(e) || !strings.HasPrefix(got.Error(), tt.want) || !errors.Is(got, e) {
			t.Errorf("statement %d, offset %d: %q, want it to begin with %q", tt.statement, tt.offset, got, tt.want)
		}
	}
}

func TestQuoteShell(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"":                 "''",
		"/a/b-c_d.pem":     "/a/b-c_d.pem",
		"/my folder/x":     "'/my folder/x'",
		"it's":             `'it'\''s'`,
		"$(rm)\n;`x` & é~": "'$(rm)\n;`x` & é~'",
	} {
		if got := quoteShell(word); got != want {
			t.Errorf("quoteShell(%q) is %s, want %s", word, got, want)
		}
	}
}
