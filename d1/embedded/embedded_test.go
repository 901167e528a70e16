package embedded_test

import (
	"path/filepath"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/embedded"
)

func open(t testing.TB, cfg embedded.Config) *embedded.DB {
	t.Helper()
	db, err := embedded.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(t *testing.T) string{
		"file":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "test.db") },
		"memory": func(t *testing.T) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d1test.Run(t, d1test.Options{}, func(t *testing.T) d1.Backend {
				return open(t, embedded.Config{Path: path(t), Sync: embedded.SyncOff})
			})
		})
	}
}
