package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestContests has every contest run once, so that what the figures come from keeps
// working. Those that need npm's packages are left out without them.
func TestContests(t *testing.T) {
	env, err := newEnv(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer env.close()
	var out bytes.Buffer
	table := newTable(&out)
	for _, c := range contests() {
		if strings.HasSuffix(c.Name, " 1 connections") || strings.HasSuffix(c.Name, "64 connections") {
			continue // the same as with 16
		}
		results, err := c.measure(env, settings{Rounds: 1, Turn: time.Millisecond})
		if errors.Is(err, errMissing) && os.Getenv("SKYLITE_E2E") != "1" {
			t.Logf("%s: %v", c.Name, err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		table.add(c, results)
		for _, r := range results {
			if len(r.Times) != 1 || r.Times[0] <= 0 || len(r.Ratios) != 1 {
				t.Errorf("%s: %+v", c.Name, r)
			}
		}
	}
	if rows := strings.Count(out.String(), "\n"); rows < 2+8*2 {
		t.Errorf("a table of %d lines:\n%s", rows, &out)
	}
}

func TestGrowth(t *testing.T) {
	curves, err := growth(t.Context(), 1000)
	if err != nil || len(curves) != 8 {
		t.Fatalf("%d curves, %v", len(curves), err)
	}
	path := filepath.Join(t.TempDir(), "growth.svg")
	if err := plotGrowth(path, curves); err != nil {
		t.Fatal(err)
	}
	if svg, err := os.ReadFile(path); err != nil || !bytes.Contains(svg, []byte("</svg>")) {
		t.Errorf("no SVG: %v", err)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct{ in, want []float64 }{
		{nil, []float64{0, 0, 0}},
		{[]float64{3}, []float64{3, 3, 3}},
		{[]float64{9, 1, 5}, []float64{5, 1, 9}},
	} {
		median, least, greatest := spread(c.in)
		if median != c.want[0] || least != c.want[1] || greatest != c.want[2] {
			t.Errorf("%v: %v, %v, %v", c.in, median, least, greatest)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[float64]string{12.34: "12.3 ns", 4567: "4.57 µs", 8.9e6: "8.9 ms", 2e9: "2 s"} {
		if got := duration(ns); got != want {
			t.Errorf("%v: %s, want %s", ns, got, want)
		}
	}
}
