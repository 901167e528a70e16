package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// table prints results as a table of Markdown, while they come.
type table struct {
	out   io.Writer
	begun bool
}

func newTable(out io.Writer) *table { return &table{out: out} }

func (t *table) add(c Contest, results []result) {
	if !t.begun {
		t.begun = true
		fmt.Fprintln(t.out, "| contest | subject | median | least to greatest | ratio | least to greatest | allocations |")
		fmt.Fprintln(t.out, "|---|---|--:|--:|--:|--:|--:|")
	}
	for i, r := range results {
		name := c.Name
		if i > 0 {
			name = ""
		}
		median, least, greatest := spread(r.Times)
		ratio, low, high := spread(r.Ratios)
		allocs := ""
		if c.Allocs {
			n, _, _ := spread(r.Allocs)
			allocs = fmt.Sprintf("%.4g", n)
		}
		subject := r.Subject
		if r.Memory > 0 {
			subject += fmt.Sprintf(" (%.0f MB)", float64(r.Memory)/1e6)
		}
		fmt.Fprintf(t.out, "| %s | %s | %s | %s to %s | %.2f | %.2f to %.2f | %s |\n",
			name, subject, duration(median), duration(least), duration(greatest), ratio, low, high, allocs)
	}
}

// duration writes nanoseconds with three digits.
func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.3g ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	case ns < 1e9:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	}
	return fmt.Sprintf("%.3g s", ns/1e9)
}

// machine says what the figures were measured on.
func machine() string {
	model := runtime.GOARCH
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, %s\n\n",
		model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), time.Now().Format(time.DateOnly))
}
