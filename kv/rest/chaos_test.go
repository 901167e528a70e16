package rest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/internal/faults"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/rest"
	"github.com/skylite-go/skylite/server"
)

// absent is what is read of a key that does not exist.
const absent = "(absent)"

// register is what may be in a key, by what its only writer was told.
type register map[string]bool

// wrote says that a value was written, with an error or without.
func (r register) wrote(value string, err error) {
	switch {
	case err == nil:
		clear(r)
		r[value] = true
	case kv.Ambiguous(err):
		r[value] = true
	}
}

// TestStorm puts, deletes and reads keys while everything goes wrong: what is read is what
// was written last, or what may have been. SKYLITE_CHAOS is how many operations there are,
// and SKYLITE_SEED repeats a storm.
func TestStorm(t *testing.T) {
	t.Parallel()
	number, seed := 400, rand.Uint64()
	if n, err := strconv.Atoi(os.Getenv("SKYLITE_CHAOS")); err == nil {
		number = n
	}
	if n, err := strconv.ParseUint(os.Getenv("SKYLITE_SEED"), 10, 64); err == nil {
		seed = n
	}
	for _, coalesce := range []bool{false, true} {
		t.Run(fmt.Sprint("coalesce=", coalesce), func(t *testing.T) {
			t.Parallel()
			t.Logf("SKYLITE_SEED=%d", seed)
			srv, err := server.New(server.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			front := httptest.NewServer(srv)
			defer front.Close()
			storm := faults.NewStorm(&http.Transport{}, seed, 0)
			c, err := cloudflare.New(cloudflare.Config{APIToken: "x", BaseURL: front.URL + "/client/v4", HTTPClient: &http.Client{Transport: storm},
				Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
			if err != nil {
				t.Fatal(err)
			}
			ns := open(t, rest.Config{Client: c, Coalesce: coalesce})
			storm.Often = 0.4 // from here on
			var all sync.WaitGroup
			for worker := range 8 {
				dice := rand.New(rand.NewPCG(seed, uint64(worker)))
				all.Go(func() { stormOn(t, ns, dice, fmt.Sprint("worker ", worker), number/8) })
			}
			all.Wait()
			t.Log(storm.Counts())
		})
	}
}

func stormOn(t *testing.T, ns *rest.Namespace, dice *rand.Rand, key string, number int) {
	state := register{absent: true}
	for i := range number {
		value := fmt.Sprintf("%s, value %d", key, i)
		var err error
		switch dice.IntN(6) {
		case 0:
			err = ns.Delete(t.Context(), key)
			state.wrote(absent, err)
		case 1:
			err = ns.Batch(t.Context(), []kv.Write{{Key: key, Value: []byte(value)}, {Key: key + "'", Value: []byte(value)}})
			if e, ok := errors.AsType[*kv.BatchError](err); ok {
				err = e.Err
			}
			state.wrote(value, err)
		case 2, 3:
			err = ns.Put(t.Context(), key, []byte(value), kv.PutOptions{})
			state.wrote(value, err)
		default:
			var found []byte
			got := absent
			if found, err = ns.Get(t.Context(), key); err == nil {
				got = string(found)
			}
			if errors.Is(err, kv.ErrNotFound) {
				err = nil
			}
			if err == nil && !state[got] || kv.Ambiguous(err) {
				t.Errorf("%s: read %q, %v; it may be %v", key, got, err, state)
			}
			if err == nil {
				state.wrote(got, nil)
			}
		}
		if e, ok := errors.AsType[*kv.Error](err); err != nil && (!ok || !e.Transient && e.Outcome != kv.OutcomeUnknown) {
			t.Errorf("%s: %+v", key, err)
		}
	}
}
