//go:build js

package binding_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/binding"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/binding"
	"github.com/skylite-go/skylite/kv/kvtest"
	"github.com/skylite-go/skylite/kv/ond1"
)

// used counts the namespaces that tests have been given.
var used atomic.Int64

func open(t *testing.T) kv.Namespace {
	t.Helper()
	ns, err := binding.Open(fmt.Sprintf("KV%d", used.Add(1)-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

func TestConformance(t *testing.T) {
	kvtest.Run(t, kvtest.Options{NoExpiration: true, MaxValue: 2 << 20}, open)
}

// TestOnD1Conformance has namespaces in a D1 database, inside a Worker too.
func TestOnD1Conformance(t *testing.T) {
	db, err := d1.Open("binding:DB1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	kvtest.Run(t, kvtest.Options{MaxValue: 3 << 20}, func(t *testing.T) kv.Namespace {
		ns, err := ond1.New(db, ond1.Config{Namespace: fmt.Sprintf("ns%d", used.Add(1))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ns.Close() })
		return ns
	})
}

// TestOddKeys reads what the runtime loses on its way: keys that look like the index of
// an array, and byte order marks.
func TestOddKeys(t *testing.T) {
	ns := open(t)
	keys := []string{"1", "a", "2", "01", "\uFEFFkey", "key"}
	for _, key := range keys {
		if err := ns.Put(t.Context(), key, []byte("value of "+key), kv.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	values, err := ns.GetMany(t.Context(), append(keys, "3"))
	if err != nil || len(values) != 7 || values["3"] != nil {
		t.Errorf("%d values, %v", len(values), err)
	}
	for _, key := range keys {
		if string(values[key]) != "value of "+key {
			t.Errorf("%q: %q", key, values[key])
		}
		if got, err := ns.Get(t.Context(), key); err != nil || string(got) != "value of "+key {
			t.Errorf("%q: %q, %v", key, got, err)
		}
	}
	marked := []byte("\uFEFFmarked")
	if err := ns.Put(t.Context(), "marked", marked, kv.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := ns.Get(t.Context(), "marked"); err != nil || !bytes.Equal(got, marked) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBindings(t *testing.T) {
	for dsn, want := range map[string]string{
		"binding:NOPE": `no binding "NOPE"`,
		"binding:DB0":  `is no KV binding, but D1`,
		"binding:TEXT": `is no KV binding, but string`,
		"binding:":     "binding:NAME",
	} {
		if _, err := kv.Open(dsn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", dsn, err, want)
		}
	}
}
