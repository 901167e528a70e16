package ond1_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
)

// The tables of d1-namespace, as its versions make them.
const (
	legacy11 = `CREATE TABLE IF NOT EXISTS app_kv_entries (key TEXT NOT NULL COLLATE BINARY PRIMARY KEY, value BLOB NOT NULL,
		expiration INTEGER, metadata BLOB) WITHOUT ROWID;
	CREATE INDEX IF NOT EXISTS app_kv_entries_exp_idx ON app_kv_entries(expiration) WHERE expiration IS NOT NULL;
	INSERT INTO app_kv_entries VALUES ('a', X'00ff', NULL, NULL), ('b', CAST('text' AS BLOB), unixepoch() + 3600, CAST('{"n":1}' AS BLOB)),
		('c', X'', NULL, CAST('null' AS BLOB)), ('d', X'31', unixepoch() - 5, NULL)`
	legacy10 = `CREATE TABLE IF NOT EXISTS kv (namespace TEXT NOT NULL, key TEXT NOT NULL COLLATE BINARY, value BLOB NOT NULL,
		ttl_seconds INTEGER, created_at INTEGER NOT NULL DEFAULT (unixepoch()),
		expires_at INTEGER GENERATED ALWAYS AS (CASE WHEN ttl_seconds IS NULL THEN NULL ELSE created_at + ttl_seconds END) STORED,
		metadata BLOB, PRIMARY KEY (namespace, key)) WITHOUT ROWID;
	INSERT INTO kv (namespace, key, value, ttl_seconds, created_at, metadata) VALUES ('app', 'a', X'00ff', NULL, unixepoch(), NULL),
		('app', 'b', CAST('text' AS BLOB), 3600, unixepoch(), CAST('{"n":1}' AS BLOB)),
		('app', 'c', X'', NULL, unixepoch(), CAST('null' AS BLOB)), ('app', 'd', X'31', 5, unixepoch() - 10, NULL),
		('other', 'a', X'31', NULL, unixepoch(), NULL)`
)

func TestLegacy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ script, table string }{
		"1.0": {legacy10, "kv"}, "1.1": {legacy11, "app_kv_entries"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := database(t, "")
			if _, err := db.Exec(t.Context(), tt.script); err != nil {
				t.Fatal(err)
			}
			ns := open(t, db, ond1.Config{Namespace: "app", Table: ond1.Table{Name: tt.table}})
			readLegacy(t, ns)
			writeLegacy(t, ns, db, tt.table)
			moveLegacy(t, ns, db)
		})
	}
}

func readLegacy(t *testing.T, ns *ond1.Namespace) {
	ctx := t.Context()
	a, err := ns.Get(ctx, "a")
	if err != nil || string(a) != "\x00\xff" {
		t.Errorf("a: %q, %v", a, err)
	}
	b, err := ns.GetWithMetadata(ctx, "b")
	if err != nil || string(b.Value) != "text" || string(b.Metadata) != `{"n":1}` || time.Until(b.Expiration) < 3500*time.Second {
		t.Errorf("b: %v, %v", b, err)
	}
	if _, err := ns.Get(ctx, "d"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("d has expired: %v", err)
	}
	many, err := ns.GetManyWithMetadata(ctx, []string{"a", "b", "c", "d"})
	if err != nil || many["c"] == nil || many["c"].Value == nil || many["c"].Metadata != nil || many["d"] != nil {
		t.Errorf("many: %v, %v", many, err)
	}
	var names []string
	for key, err := range kv.All(ctx, ns, kv.ListOptions{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, key.Name)
	}
	if strings.Join(names, " ") != "a b c" {
		t.Errorf("listed: %q", names)
	}
}

func writeLegacy(t *testing.T, ns *ond1.Namespace, db *d1.DB, table string) {
	ctx := t.Context()
	for _, opts := range []kv.PutOptions{{}, {TTL: 90 * time.Second, Metadata: "m"}, {Expiration: time.Now().Add(time.Hour)}} {
		if err := ns.Put(ctx, "new", []byte("v"), opts); err != nil {
			t.Fatal(err)
		}
		entry, err := ns.GetWithMetadata(ctx, "new")
		if err != nil || string(entry.Value) != "v" || entry.Expiration.IsZero() != (opts.TTL == 0 && opts.Expiration.IsZero()) || (entry.Metadata == nil) != (opts.Metadata == nil) {
			t.Errorf("%v: %v, %v", opts, entry, err)
		}
	}
	// It is stored as d1-namespace stores it.
	kinds, err := d1.First[string](ctx, db, "SELECT typeof(value) || typeof(metadata) FROM "+table+" WHERE key = 'new'")
	if err != nil || kinds != "blobnull" {
		t.Errorf("stored as %s, %v", kinds, err)
	}
	if err := ns.Delete(ctx, "new"); err != nil {
		t.Fatal(err)
	}
	if err := ns.Batch(ctx, []kv.Write{{Key: "e1", Value: []byte("1")}, {Key: "e2"}, {Key: "e2", Delete: true}}); err != nil {
		t.Fatal(err)
	}
	if err := ns.Put(ctx, "long", make([]byte, 2_000_000), kv.PutOptions{}); err == nil || !kv.Unsent(err) || !strings.Contains(err.Error(), "Move it") {
		t.Errorf("a long value: %v", err)
	}
	if _, err := ns.Add(ctx, "n", 1, kv.PutOptions{}); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "d1-namespace 1.") {
		t.Errorf("add: %v", err)
	}
	if _, err := ns.CompareAndSwap(ctx, "n", kv.Absent, nil, kv.PutOptions{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("swap: %v", err)
	}
}

func moveLegacy(t *testing.T, from *ond1.Namespace, db *d1.DB) {
	ctx := t.Context()
	writes := make([]kv.Write, 250)
	for i := range writes {
		writes[i] = kv.Write{Key: fmt.Sprintf("m%03d", i), Value: []byte(strings.Repeat("v", i))}
	}
	if err := from.Batch(ctx, writes); err != nil {
		t.Fatal(err)
	}
	to := open(t, db, ond1.Config{Namespace: "app", Table: ond1.Table{Name: "moved"}})
	n, err := ond1.Move(ctx, to, from)
	if err != nil || n != 254 {
		t.Fatalf("moved %d, %v", n, err)
	}
	if page, err := from.List(ctx, kv.ListOptions{}); err != nil || len(page.Keys) != 0 {
		t.Errorf("left: %v, %v", page, err)
	}
	entry, err := to.GetWithMetadata(ctx, "b")
	if err != nil || string(entry.Value) != "text" || string(entry.Metadata) != `{"n":1}` || entry.Expiration.IsZero() {
		t.Errorf("b: %v, %v", entry, err)
	}
	if value, err := to.Get(ctx, "m249"); err != nil || len(value) != 249 {
		t.Errorf("m249: %d bytes, %v", len(value), err)
	}
	if _, err := ond1.Move(ctx, from, to); err == nil {
		t.Error("moved what has this package's layout")
	}
}
