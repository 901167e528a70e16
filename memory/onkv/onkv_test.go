//go:build !js

package onkv_test

import (
	"testing"

	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/memorytest"
	"github.com/skylite-go/skylite/memory/onkv"
)

func namespace(t testing.TB, name string) kv.Namespace {
	t.Helper()
	ns, err := ond1.New(d1test.Open(t), ond1.Config{Namespace: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	})
	return ns
}

// plainKV is a namespace that can do no more than Workers KV.
type plainKV struct{ kv.Namespace }

func open(t testing.TB, cfg onkv.Config) *onkv.Store {
	t.Helper()
	s, err := onkv.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("one namespace", func(t *testing.T) {
		t.Parallel()
		memorytest.Run(t, memorytest.Options{}, func(t *testing.T) memory.Store {
			return open(t, onkv.Config{Namespace: namespace(t, "a"), KeyPrefix: "dev"})
		})
	})
	t.Run("a namespace for each, no more than KV", func(t *testing.T) {
		t.Parallel()
		memorytest.Run(t, memorytest.Options{LastWriteWins: true}, func(t *testing.T) memory.Store {
			return open(t, onkv.Config{Bindings: onkv.Bindings{
				Threads: plainKV{namespace(t, "t")}, Messages: plainKV{namespace(t, "m")}, Metadata: plainKV{namespace(t, "d")}}})
		})
	})
}
