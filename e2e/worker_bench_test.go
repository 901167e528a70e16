package e2e

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkGoWorker measures what a request to a Go Worker in workerd takes, one after
// another, over loopback:
//
//	go test -run xxx -bench GoWorker -benchtime 200x .
//
// cold is the first request to a program that is not running; the isolate is there.
func BenchmarkGoWorker(b *testing.B) {
	w := startWorker(b, "./workerd/app")
	if r, err := w.do(b.Context(), "POST", "/notes", `{"text":"hello"}`, ""); err != nil || r.status != 200 {
		b.Fatalf("%+v, %v", r, err)
	}
	for _, bench := range []struct {
		name, path string
		cold       bool
	}{
		{"warm", "/request", false},
		{"warm with D1", "/notes/1", false},
		{"cold", "/request", true},
		{"cold with D1", "/notes/1", true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var times []time.Duration
			for b.Loop() {
				if bench.cold {
					b.StopTimer()
					if _, err := w.do(b.Context(), "GET", "/die", "", ""); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				began := time.Now()
				if _, err := w.do(b.Context(), "GET", bench.path, "", ""); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[0].Microseconds())/1000, "ms-fastest")
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-median")
		})
	}
}
