//go:build js

package onkv_test

import (
	"fmt"
	"testing"

	"github.com/skylite-go/skylite/kv/binding"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/memorytest"
	"github.com/skylite-go/skylite/memory/onkv"
)

// TestConformance runs inside a Worker, over the binding of a namespace of it; each store
// has keys of its own.
func TestConformance(t *testing.T) {
	ns, err := binding.Open("KV0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	n := 0
	memorytest.Run(t, memorytest.Options{LastWriteWins: true}, func(t *testing.T) memory.Store {
		n++
		s, err := onkv.New(onkv.Config{Namespace: ns, KeyPrefix: fmt.Sprint("t", n)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
