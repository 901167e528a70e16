package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/server"
)

// simulation is the value of --simulate: a list such as
//
//	rate-limit=100/10s,overload=1/7,latency=40ms,seed=1
type simulation struct{ *server.Simulation }

const simulateUsage = "fail as the service does under load: a `list` of rate-limit[=CALLS[/TIME]], " +
	"overload[=SHARE or 1/N], latency=TIME and seed=NUMBER"

// What is simulated if no more is said.
const (
	serviceRateLimit = 1200
	someOverload     = 0.1
)

// String implements [pflag.Value].
func (s simulation) String() string { return "" }

// Type implements [pflag.Value].
func (s simulation) Type() string { return "list" }

// Set implements [pflag.Value].
func (s simulation) Set(list string) error {
	for item := range strings.SplitSeq(list, ",") {
		name, value, given := strings.Cut(strings.TrimSpace(item), "=")
		if !s.set(name, value, given) {
			return fmt.Errorf("%q is not one of rate-limit, rate-limit=100, rate-limit=100/10s, overload, overload=0.1, "+
				"overload=1/7, latency=40ms, seed=1", item)
		}
	}
	return nil
}

func (s simulation) set(name, value string, given bool) (ok bool) {
	switch {
	case name == "rate-limit" && !given:
		s.RateLimit = serviceRateLimit
		return true
	case name == "rate-limit":
		calls, window, timed := strings.Cut(value, "/")
		n, err := strconv.Atoi(calls)
		s.RateLimit = n
		if ok = err == nil && n > 0; ok && timed {
			s.RateWindow, err = time.ParseDuration(window)
			ok = err == nil && s.RateWindow > 0
		}
		return ok
	case name == "overload" && !given:
		s.Overload = someOverload
		return true
	case name == "overload":
		if every, one := strings.CutPrefix(value, "1/"); one {
			n, err := strconv.Atoi(every)
			s.OverloadEvery = n
			return err == nil && n > 0
		}
		share, err := strconv.ParseFloat(value, 64)
		s.Overload = share
		return err == nil && share > 0 && share <= 1
	case name == "latency":
		d, err := time.ParseDuration(value)
		s.Latency = d
		return err == nil && d > 0
	case name == "seed":
		n, err := strconv.ParseUint(value, 10, 64)
		s.Seed = n
		return err == nil
	}
	return false
}
