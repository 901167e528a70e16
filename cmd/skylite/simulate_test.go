package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/server"
)

func TestSimulation(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]server.Simulation{
		"rate-limit,overload,latency=40ms": {RateLimit: 1200, Overload: 0.1, Latency: 40 * time.Millisecond},
		"rate-limit=5/10s, overload=1/7":   {RateLimit: 5, RateWindow: 10 * time.Second, OverloadEvery: 7},
		"overload=1,seed=9":                {Overload: 1, Seed: 9},
	} {
		var got server.Simulation
		if err := (simulation{&got}).Set(list); err != nil {
			t.Errorf("%s: %v", list, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", list, diff)
		}
	}
	for _, list := range []string{"", "nope", "latency", "latency=-1s", "overload=2", "overload=0", "overload=1/0", "rate-limit=0", "rate-limit=5/x", "seed=-1", "seed="} {
		if err := (simulation{&server.Simulation{}}).Set(list); err == nil {
			t.Errorf("%q is accepted", list)
		}
	}
}
