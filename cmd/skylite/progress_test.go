package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	p := &progress{w: &shown, label: "Exporting", began: time.Now().Add(-10 * time.Second)}
	if _, err := p.writer(io.Discard).Write(make([]byte, 2_000_000)); err != nil {
		t.Fatal(err)
	}
	p.say("too soon to be shown")
	if got := shown.String(); !strings.HasPrefix(got, "\r\x1b[KExporting: 2 MB, ") || strings.Contains(got, "too soon") {
		t.Errorf("%q", got)
	}
	p.end()
	p.say("after the end")
	if got := shown.String(); !strings.HasSuffix(got, "/s\r\x1b[K") {
		t.Errorf("%q", got)
	}
	nobody := &progress{label: "Exporting"}
	nobody.bytes(1)
	nobody.end()
}

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"1d": 24 * time.Hour, "31d": 31 * 24 * time.Hour, "12h": 12 * time.Hour, "30m": 30 * time.Minute,
		"32d": 0, "0h": 0, "d": 0, "1w": 0, "": 0, "-1d": 0, "9999999999999999999d": 0} {
		got, err := parsePeriod(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
