//go:build !js

package ond1_test

import (
	"path/filepath"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/memorytest"
	"github.com/skylite-go/skylite/memory/ond1"
)

func database(t testing.TB, path string) *d1.DB {
	t.Helper()
	backend, err := embedded.Open(embedded.Config{Path: path, Sync: embedded.SyncOff})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func open(t testing.TB, db d1.Querier, cfg ond1.Config) *ond1.Store {
	t.Helper()
	s, err := ond1.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		memorytest.Run(t, memorytest.Options{}, func(t *testing.T) memory.Store {
			return open(t, database(t, ""), ond1.Config{Large: ond1.LargeChunk})
		})
	})
	t.Run("file, Mastra's tables", func(t *testing.T) {
		t.Parallel()
		memorytest.Run(t, memorytest.Options{TextContent: true}, func(t *testing.T) memory.Store {
			return open(t, database(t, filepath.Join(t.TempDir(), "test.db")), ond1.Config{Layout: ond1.LayoutMastra, TablePrefix: "dev_"})
		})
	})
}
