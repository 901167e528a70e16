package kvtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/kv"
)

// nearly compares two times to the second or two that a request may take.
func nearly(got, want time.Time) bool {
	d := got.Sub(want)
	return d > -5*time.Second && d < 10*time.Second
}

func testExpiry(t *testing.T, s suite) {
	ns := s.open(t)
	now := s.opts.Now()
	at := now.Add(10 * time.Minute).Truncate(time.Second)
	put(t, ns, "absolute", "v", kv.PutOptions{Expiration: at, Metadata: "m"})
	put(t, ns, "ttl", "v", kv.PutOptions{TTL: time.Hour})
	put(t, ns, "both", "v", kv.PutOptions{TTL: time.Hour, Expiration: at})
	put(t, ns, "least", "v", kv.PutOptions{TTL: kv.MinTTL})
	put(t, ns, "late", "v", kv.PutOptions{Expiration: time.Date(2037, 12, 31, 0, 0, 0, 0, time.UTC)})
	put(t, ns, "never", "v")
	want := map[string]time.Time{
		"absolute": at, "ttl": now.Add(time.Hour), "both": now.Add(time.Hour), "least": now.Add(kv.MinTTL),
		"late": time.Date(2037, 12, 31, 0, 0, 0, 0, time.UTC), "never": {},
	}
	for _, key := range list(t, ns, kv.ListOptions{}).Keys {
		if at := want[key.Name]; at.IsZero() != key.Expiration.IsZero() || !nearly(key.Expiration, at) {
			t.Errorf("%s is listed to end at %v; want %v", key.Name, key.Expiration, at)
		}
	}
	if got := list(t, ns, kv.ListOptions{Prefix: "absolute"}).Keys[0]; !got.Expiration.Equal(at) || string(got.Metadata) != `"m"` {
		t.Errorf("absolute is listed as %v; want %v", got, at)
	}
	for key, at := range want {
		entry, err := ns.GetWithMetadata(t.Context(), key)
		if err != nil || string(entry.Value) != "v" {
			t.Errorf("%s: %v, %v", key, entry, err)
		}
		if !s.opts.NoExpiration && (at.IsZero() != entry.Expiration.IsZero() || !nearly(entry.Expiration, at)) {
			t.Errorf("%s ends at %v; want %v", key, entry.Expiration, at)
		}
	}
}

func testExpiryRules(t *testing.T, s suite) {
	ns := s.open(t)
	_, short := ns.(kv.Expirer)
	now := s.opts.Now()
	at := func(d time.Duration) kv.PutOptions {
		return kv.PutOptions{Expiration: now.Add(d).Truncate(time.Second)}
	}
	for _, tt := range []struct {
		name string
		opts kv.PutOptions
		text string
		more bool // a place that is an Expirer takes it
	}{
		{"negative TTL", kv.PutOptions{TTL: -time.Second}, "Invalid expiration_ttl of -1. Please specify integer greater than 0.", false},
		{"TTL under a minute", kv.PutOptions{TTL: 59 * time.Second}, "Invalid expiration_ttl of 59. Expiration TTL must be at least 60.", true},
		{"TTL under a second", kv.PutOptions{TTL: 999 * time.Millisecond}, "Please specify integer greater than 0.", true},
		{"past", at(-time.Hour), "Please specify integer greater than the current number of seconds since the UNIX epoch.", false},
		{"epoch", kv.PutOptions{Expiration: time.Unix(0, 0)}, "Invalid expiration of 0. Please specify integer greater than the current", false},
		{"before the epoch", kv.PutOptions{Expiration: time.Unix(-5, 0)}, "Invalid expiration of -5.", false},
		{"soon", at(30 * time.Second), "Expiration times must be at least 60 seconds in the future.", true},
		{"year 10000", kv.PutOptions{Expiration: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "later than the year 9999", false},
		{"huge", kv.PutOptions{Expiration: time.Unix(1<<55, 0)}, "later than the year 9999", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := ns.Put(t.Context(), tt.name, []byte("v"), tt.opts)
			if tt.more && short && err == nil {
				return
			}
			wantError(t, err, 400, tt.text)
			wantMissing(t, ns, tt.name)
		})
	}
}

func testExpiryPasses(t *testing.T, s suite) {
	if s.opts.Advance == nil {
		t.Skip("nobody can let time pass for the place: Options.Advance is nil")
	}
	ns := s.open(t)
	ctx := t.Context()
	put(t, ns, "a60", strings.Repeat("v", 3000), kv.PutOptions{TTL: time.Minute, Metadata: 1})
	put(t, ns, "b3600", "v", kv.PutOptions{TTL: time.Hour})
	put(t, ns, "c", "v")
	put(t, ns, "d60, then never", "v", kv.PutOptions{TTL: time.Minute})
	put(t, ns, "d60, then never", "v")
	s.opts.Advance(30 * time.Second)
	wantValue(t, ns, "b3600", "v")
	if _, err := ns.Get(ctx, "a60"); err != nil {
		t.Errorf("after 30 s: %v", err)
	}
	s.opts.Advance(30 * time.Second)
	wantMissing(t, ns, "a60")
	if _, err := ns.GetWithMetadata(ctx, "a60"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("with metadata: %v", err)
	}
	values, err := ns.GetMany(ctx, []string{"a60", "c"})
	if err != nil || values["a60"] != nil || string(values["c"]) != "v" {
		t.Errorf("many: %q, %v", values, err)
	}
	if got := names(list(t, ns, kv.ListOptions{}).Keys); !slices.Equal(got, []string{"b3600", "c", "d60, then never"}) {
		t.Errorf("listed: %q", got)
	}
	if page := list(t, ns, kv.ListOptions{Prefix: "a"}); len(page.Keys) > 0 || !page.Complete {
		t.Errorf("a list of what has expired: %v", page)
	}
	put(t, ns, "a60", "again")
	s.opts.Advance(2 * time.Hour)
	wantValue(t, ns, "a60", "again")
	wantMissing(t, ns, "b3600")
}

func testShortLives(t *testing.T, s suite) {
	ns := as[kv.Expirer](t, s)
	least := ns.MinTTL()
	if least >= kv.MinTTL {
		t.Skipf("keys live for %v at least", least)
	}
	put(t, ns, "k", strings.Repeat("v", 1000), kv.PutOptions{TTL: max(least, time.Millisecond)})
	put(t, ns, "at", "v", kv.PutOptions{Expiration: time.Now().Add(max(least, 50*time.Millisecond))})
	put(t, ns, "l", "v", kv.PutOptions{TTL: time.Hour})
	for _, key := range []string{"k", "at"} {
		eventually(t, key+" has expired", func() bool {
			_, err := ns.Get(t.Context(), key)
			return errors.Is(err, kv.ErrNotFound)
		})
	}
	if got := names(list(t, ns, kv.ListOptions{}).Keys); !slices.Equal(got, []string{"l"}) {
		t.Errorf("listed: %q", got)
	}
	put(t, ns, "k", "again")
	wantValue(t, ns, "k", "again")
}

func testTouch(t *testing.T, s suite) {
	ns := as[kv.Expirer](t, s)
	ctx := t.Context()
	if err := ns.Touch(ctx, "missing", kv.PutOptions{TTL: time.Hour}); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("a key that does not exist: %v", err)
	}
	for _, value := range []string{"v", strings.Repeat("v", 5000)} {
		put(t, ns, "k", value, kv.PutOptions{Metadata: 7})
		for _, ttl := range []time.Duration{time.Hour, 2 * time.Hour, 0} {
			if err := ns.Touch(ctx, "k", kv.PutOptions{TTL: ttl, Metadata: "not used"}); err != nil {
				t.Fatal(err)
			}
			entry, err := ns.GetWithMetadata(ctx, "k")
			if err != nil || string(entry.Value) != value || string(entry.Metadata) != "7" {
				t.Errorf("entry %.60q, %v", entry, err)
			}
			if want := s.opts.Now().Add(ttl); ttl == 0 && !entry.Expiration.IsZero() || ttl != 0 && !nearly(entry.Expiration, want) {
				t.Errorf("after touching for %v it ends at %v", ttl, entry.Expiration)
			}
		}
	}
	wantError(t, ns.Touch(ctx, "k", kv.PutOptions{TTL: -1}), 400, "Invalid expiration_ttl")
	wantError(t, ns.Touch(ctx, "", kv.PutOptions{}), 400, "Key names must not be empty")
}

func testPurge(t *testing.T, s suite) {
	ns := as[kv.Expirer](t, s)
	ctx := t.Context()
	// Namespaces that share a table are purged together.
	for n := 1; n > 0; {
		var err error
		if n, err = ns.Purge(ctx, 1000); err != nil {
			t.Fatal(err)
		}
	}
	put(t, ns, "stays", "v", kv.PutOptions{TTL: time.Hour})
	if ns.MinTTL() >= kv.MinTTL {
		return
	}
	for i := range 25 {
		put(t, ns, fmt.Sprint("k", i), strings.Repeat("v", 20*i), kv.PutOptions{TTL: ns.MinTTL()})
	}
	eventually(t, "all have expired", func() bool { return len(list(t, ns, kv.ListOptions{}).Keys) == 1 })
	total := 0
	for _, want := range []int{10, 10, 5, 0} {
		n, err := ns.Purge(ctx, 10)
		if err != nil || n > 10 {
			t.Errorf("purged %d, %v; want %d", n, err, want)
		}
		total += n
	}
	if total != 25 {
		t.Errorf("purged %d in all", total)
	}
	wantValue(t, ns, "stays", "v")
}
