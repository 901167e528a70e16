//go:build js

package ond1_test

import (
	"fmt"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/binding"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/memorytest"
	"github.com/skylite-go/skylite/memory/ond1"
)

// TestConformance runs inside a Worker, over the binding of a database of it; each store
// has tables of its own.
func TestConformance(t *testing.T) {
	for i, layout := range []ond1.Layout{ond1.LayoutDefault, ond1.LayoutMastra} {
		t.Run("layout "+string(layout), func(t *testing.T) {
			backend, err := binding.Open(fmt.Sprintf("DB%d", i))
			if err != nil {
				t.Fatal(err)
			}
			db := d1.New(backend)
			t.Cleanup(func() { _ = db.Close() })
			n := 0
			memorytest.Run(t, memorytest.Options{TextContent: layout == ond1.LayoutMastra}, func(t *testing.T) memory.Store {
				n++
				s, err := ond1.New(db, ond1.Config{TablePrefix: fmt.Sprintf("t%d_", n), Layout: layout})
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}
