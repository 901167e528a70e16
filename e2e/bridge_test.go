package e2e

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/bridge"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/server"
)

const bridgeToken = "a-token-of-the-bridge"

func openBridge(t testing.TB, url, database, token string) *d1.DB {
	t.Helper()
	backend, err := bridge.Open(bridge.Config{URL: url, Database: database, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() { db.Close() })
	return db
}

// TestBridgeInWorkerd runs the conformance suite through the bridge's Worker.
func TestBridgeInWorkerd(t *testing.T) {
	needNPM(t)
	t.Parallel()
	w := (&fixture{}).client(t).startNode(t, "workerd/bridge.mjs", bridgeToken)
	var used atomic.Int64
	open := func(t *testing.T) d1.Backend {
		db := openBridge(t, w.url, fmt.Sprintf("DB%d", used.Add(1)-1), bridgeToken)
		// See the tests of d1/binding.
		if _, err := db.Run(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		return db.Backend()
	}
	d1test.Run(t, d1test.Options{JSON: true, Uninterruptible: true, VagueCommit: true}, open)
	t.Run("refusals", func(t *testing.T) {
		for _, tt := range []struct {
			name, database, token, sql, want string
			args                             []any
		}{
			{"no token", "DB0", "", "SELECT 1", "Authentication error", nil},
			{"wrong token", "DB0", "another-token", "SELECT 1", "Authentication error", nil},
			{"a part of the token", "DB0", bridgeToken[:len(bridgeToken)-1], "SELECT 1", "Authentication error", nil},
			{"absent binding", "NOPE", bridgeToken, "SELECT 1", `no D1 binding "NOPE"`, nil},
			{"another kind", "KV", bridgeToken, "SELECT 1", `no D1 binding "KV"`, nil},
			{"a variable", "MAX_BODY_BYTES", bridgeToken, "SELECT 1", `no D1 binding`, nil},
			{"no own property", "toString", bridgeToken, "SELECT 1", `no D1 binding`, nil},
			{"large body", "DB0", bridgeToken, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", "too large", blobs(10, 1_900_000)},
		} {
			t.Run(tt.name, func(t *testing.T) {
				_, err := openBridge(t, w.url, tt.database, tt.token).Run(t.Context(), tt.sql, tt.args...)
				e, ok := errors.AsType[*d1.Error](err)
				if !ok || !strings.Contains(e.Message, tt.want) || e.Outcome != d1.OutcomeUnsent || d1.Retryable(err) {
					t.Errorf("error %+v, want %q", err, tt.want)
				}
				if strings.Contains(err.Error(), bridgeToken) {
					t.Error("the error tells the token")
				}
			})
		}
	})
	t.Run("errors say whose they are", func(t *testing.T) {
		_, err := openBridge(t, w.url, "DB0", bridgeToken).Run(t.Context(), "SELECT ?, nope", 1)
		e, _ := errors.AsType[*d1.Error](err)
		if e == nil || e.Message != "no such column: nope at offset 10: SQLITE_ERROR" || e.APICode != 7500 || e.Statement != 0 {
			t.Errorf("error %+v", err)
		}
	})
}

func blobs(n, size int) (all []any) {
	for range n {
		all = append(all, []byte(strings.Repeat("\xff", size)))
	}
	return all
}

// TestBridgeWithoutToken checks that a bridge without a token serves nobody.
func TestBridgeWithoutToken(t *testing.T) {
	needNPM(t)
	t.Parallel()
	for _, token := range []string{"", "short"} {
		w := (&fixture{}).client(t).startNode(t, "workerd/bridge.mjs", token)
		for _, given := range []string{"", "short", "undefined"} {
			_, err := openBridge(t, w.url, "DB0", given).Run(t.Context(), "INSERT INTO t VALUES (1)")
			if err == nil || !strings.Contains(err.Error(), "the bridge has no token") {
				t.Errorf("token %q: error %v", given, err)
			}
		}
	}
}

// TestBridgeOnServer runs the conformance suite through the bridge that the server has.
// It loses nothing: the server is no JavaScript.
func TestBridgeOnServer(t *testing.T) {
	for _, place := range []struct {
		name string
		cfg  server.Config
	}{
		{"files", server.Config{DataDir: t.TempDir(), Token: token}},
		{"memory", server.Config{Token: token}},
	} {
		t.Run(place.name, func(t *testing.T) {
			f := serve(t, place.cfg)
			url := strings.TrimSuffix(f.base, "/client/v4")
			var made atomic.Int64
			open := func(t *testing.T) d1.Backend {
				name := fmt.Sprint("database-", made.Add(1))
				f.create(t, name)
				return openBridge(t, url, name, token).Backend()
			}
			d1test.Run(t, d1test.Options{}, open)
			t.Run("exact results", func(t *testing.T) {
				db := d1.New(open(t))
				got, err := db.All(t.Context(), "SELECT 1, 1.0, 9223372036854775807, -9e999, 1e300, typeof(?), typeof(?)", 1, 1.0)
				want := []any{int64(1), 1.0, int64(math.MaxInt64), math.Inf(-1), 1e300, "integer", "real"}
				if err != nil || fmt.Sprintf("%#v", got.Rows[0]) != fmt.Sprintf("%#v", want) {
					t.Errorf("got %#v, %v", got, err)
				}
			})
			for name, db := range map[string]*d1.DB{
				"Authentication error": openBridge(t, url, "database-1", "another-token"),
				"could not be found":   openBridge(t, url, "nope", token),
			} {
				if _, err := db.Run(t.Context(), "SELECT 1"); !d1.Unsent(err) || !strings.Contains(err.Error(), name) {
					t.Errorf("error %+v, want %q", err, name)
				}
			}
		})
	}
}

// TestServerReplicas forgets a bookmark on the server's own replicas, over the bridge.
func TestServerReplicas(t *testing.T) {
	f := serve(t, server.Config{DataDir: t.TempDir(), Replicas: 2, Lag: time.Hour})
	f.create(t, "app")
	url := strings.TrimSuffix(f.base, "/client/v4")
	db := openBridge(t, url, "app", "any")
	session := db.WithSession(d1.FirstUnconstrained)
	if _, err := session.Run(t.Context(), "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	const tables = "SELECT count(*) FROM sqlite_master WHERE name = 't'"
	for name, tt := range map[string]struct {
		start d1.Bookmark
		want  int
	}{"carried": {session.Bookmark(), 1}, "forgotten": {d1.FirstUnconstrained, 0}, "primary": {d1.FirstPrimary, 1}} {
		if n, err := d1.First[int](t.Context(), db.WithSession(tt.start), tables); err != nil || n != tt.want {
			t.Errorf("%s: %d, %v; want %d", name, n, err, tt.want)
		}
	}
	f.create(t, "other")
	other := openBridge(t, url, "other", "any")
	for bookmark, want := range map[d1.Bookmark]string{session.Bookmark(): "another database", "nonsense": "malformed bookmark"} {
		_, err := other.WithSession(bookmark).Run(t.Context(), "SELECT 1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", bookmark, err)
		}
	}
}
