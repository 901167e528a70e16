package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/embedded"
)

// TestSerializable proves that transactions are serializable, on a file, over REST, and on
// Cloudflare's own engine. SKYLITE_SERIAL is how many transactions there are in each place;
// the engine, which is slow, has a tenth.
func TestSerializable(t *testing.T) {
	n := 600
	if text := os.Getenv("SKYLITE_SERIAL"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, place := range []struct {
		name string
		n    int
		open func(t *testing.T) d1.Backend
	}{
		{"embedded", n, func(t *testing.T) d1.Backend {
			db, err := embedded.Open(embedded.Config{Path: filepath.Join(t.TempDir(), "serial.db"), Sync: embedded.SyncOff})
			if err != nil {
				t.Fatal(err)
			}
			return db
		}},
		{"rest", n, func(t *testing.T) d1.Backend {
			f := serveFiles(t)
			return f.open(t, f.create(t, "serial"))
		}},
		{"workerd", n / 10, func(t *testing.T) d1.Backend { return startWorkerd(t)(t) }},
	} {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			db := d1sql.OpenDB(d1.New(place.open(t)))
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			d1test.Serializable(t, db, place.n)
		})
	}
}
