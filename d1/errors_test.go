package d1_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
)

func TestErrorQuestions(t *testing.T) {
	t.Parallel()
	transient, cause := d1.NewError("Network connection lost."), errors.New("cause")
	for _, tt := range []struct {
		name                         string
		err                          error
		retryable, unsent, ambiguous bool
	}{
		{"nil", nil, false, false, false},
		{"another's", cause, false, false, false},
		{"refused", d1.NewError("no such table: t: SQLITE_ERROR"), false, false, false},
		{"transient", transient, true, false, false},
		{"wrapped", fmt.Errorf("more: %w", transient), true, false, false},
		{"unsent", &d1.Error{Outcome: d1.OutcomeUnsent}, false, true, false},
		{"unsent and transient", &d1.Error{Outcome: d1.OutcomeUnsent, Transient: true}, true, true, false},
		{"unknown", &d1.Error{Outcome: d1.OutcomeUnknown, Transient: true}, false, false, true},
		{"cancelled", &d1.Error{Transient: true, Err: context.Canceled}, false, false, false},
		{"overdue", &d1.Error{Transient: true, Err: context.DeadlineExceeded}, false, false, false},
	} {
		if d1.Retryable(tt.err) != tt.retryable || d1.Unsent(tt.err) != tt.unsent || d1.Ambiguous(tt.err) != tt.ambiguous {
			t.Errorf("%s: retryable %t, unsent %t, ambiguous %t", tt.name, d1.Retryable(tt.err), d1.Unsent(tt.err), d1.Ambiguous(tt.err))
		}
	}
	if e := (&d1.Error{Err: cause}); !errors.Is(e, cause) {
		t.Error("the cause cannot be found")
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  d1.Error
		want string
	}{
		{d1.Error{Message: "no", Statement: -1}, "d1: no"},
		{d1.Error{Message: "no", Statement: 0}, "d1: no"},
		{d1.Error{Message: "no", Statement: 2, APICode: 7500, RayID: "abc-AMS"}, "d1: statement 3: no [code 7500] [ray abc-AMS]"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestErrorJSON checks what GORM's translator of errors reads: numeric codes, whatever
// the cause is.
func TestErrorJSON(t *testing.T) {
	t.Parallel()
	e := d1.NewError("UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)")
	e.Err = unmarshalable{ch: make(chan int)}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Code, ExtendedCode, Offset int }
	if err := json.Unmarshal(data, &got); err != nil || got.Code != 19 || got.ExtendedCode != 2067 || got.Offset != -1 {
		t.Errorf("%s: %+v, %v", data, got, err)
	}
}

type unmarshalable struct{ ch chan int }

func (unmarshalable) Error() string                  { return "cause" }
func (u unmarshalable) MarshalJSON() ([]byte, error) { return nil, u }

func TestMetaJSON(t *testing.T) {
	t.Parallel()
	meta := d1.Meta{
		ServedBy: "v3-prod", ServedByRegion: "WEUR", ServedByColo: "AMS", ServedByPrimary: true,
		Duration: 290 * time.Microsecond, Changes: 3, LastRowID: 1<<53 + 1, ChangedDB: true, SizeAfter: 8192,
		RowsRead: 5, RowsWritten: 6, TotalAttempts: 1,
	}
	data, err := json.Marshal(meta)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"served_by":"v3-prod","served_by_region":"WEUR","served_by_colo":"AMS","served_by_primary":true,` +
		`"timings":{"sql_duration_ms":0.29},"duration":0.29,"changes":3,"last_row_id":9007199254740993,"changed_db":true,` +
		`"size_after":8192,"rows_read":5,"rows_written":6,"total_attempts":1}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
	var again d1.Meta
	if err := json.Unmarshal(data, &again); err != nil || again != meta {
		t.Error(cmp.Diff(meta, again), err)
	}
	for text, want := range map[string]d1.Meta{
		`{}`: {},
		`{"changes":1e3,"rows_read":2.0,"total_attempts":3.0,"size_after":4.096e3,"new":{"a":[1]}}`: {Changes: 1000, RowsRead: 2, TotalAttempts: 3, SizeAfter: 4096},
		`{"last_row_id":9223372036854776000}`:                                                       {LastRowID: math.MaxInt64},
		`{"last_row_id":-9223372036854776000}`:                                                      {LastRowID: math.MinInt64},
		`{"changes":null,"served_by":null}`:                                                         {},
		`{"duration":0.123456,"served_by_colo":"LHR"}`:                                              {Duration: 123456, ServedByColo: "LHR"},
	} {
		var got d1.Meta
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %s %v", text, cmp.Diff(want, got), err)
		}
	}
	for _, text := range []string{`{"changes":"x"}`, `{"duration":[]}`, `[]`, `{"changes":true}`} {
		if err := json.Unmarshal([]byte(text), new(d1.Meta)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// TestOpenErrors checks that an error does not repeat a secret of the name.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	d1.Register("testing-failure", func(string) (d1.Backend, error) { return nil, errors.New("no such place") })
	for dsn, want := range map[string]string{
		"":       "no scheme",
		"s3cret": "no scheme",
		"d1//ACCOUNT/DB?token=s3cret&base_url=https://example.com": "no scheme",
		"token=s3cret:":                     "no scheme",
		"unknown://ACCOUNT/DB?token=s3cret": `"unknown:"`,
		"testing-failure:s3cret":            "no such place",
	} {
		_, err := d1.Open(dsn)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: error %v", dsn, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a second registration was accepted")
		}
	}()
	d1.Register("testing-failure", nil)
}
