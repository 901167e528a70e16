package e2e

import (
	"strings"
	"testing"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/server"
)

// TestRESTOnServer runs the conformance suite with our client on our server, which
// keeps databases in files and in memory.
func TestRESTOnServer(t *testing.T) {
	for _, place := range []struct {
		name string
		cfg  server.Config
	}{
		{"files", server.Config{DataDir: t.TempDir()}},
		{"memory", server.Config{}},
	} {
		t.Run(place.name, func(t *testing.T) {
			f := serve(t, place.cfg)
			made := 0
			d1test.Run(t, d1test.Options{JSON: true}, func(t *testing.T) d1.Backend {
				made++
				return f.open(t, f.create(t, strings.Repeat("x", made)))
			})
		})
	}
}

// open opens a database with our client.
func (f *fixture) open(t testing.TB, id string) d1.Backend {
	t.Helper()
	db, err := rest.Open(rest.Config{
		API:       cloudflare.Config{BaseURL: f.base, APIToken: token},
		AccountID: account, DatabaseID: id,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
