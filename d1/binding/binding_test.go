//go:build js

package binding_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/binding"
	"github.com/skylite-go/skylite/d1/d1test"
)

// used counts the databases that tests have been given.
var used atomic.Int64

// open returns a database that is new and empty: the Worker that runs the tests has many.
func open(t *testing.T) d1.Backend {
	t.Helper()
	db, err := binding.Open(fmt.Sprintf("DB%d", used.Add(1)-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	// The first time that workerd gives a bookmark of a database it writes a row of its
	// own, which last_insert_rowid() tells of.
	if _, err := d1.New(db).Run(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestConformance(t *testing.T) {
	d1test.Run(t, d1test.Options{JSON: true, Uninterruptible: true, VagueCommit: true}, open)
}

func TestBindings(t *testing.T) {
	for dsn, want := range map[string]string{
		"binding:NOPE":  `no binding "NOPE"`,
		"binding:KV":    `is no D1 binding, but KV`,
		"binding:TEXT":  `is no D1 binding, but string`,
		"binding:":      "binding:NAME",
		"binding:DB0/x": "binding:NAME",
	} {
		if _, err := d1.Open(dsn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", dsn, err, want)
		}
	}
}
