package e2e

import (
	"strings"
	"sync"
	"testing"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv/rest"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/memorytest"
	"github.com/skylite-go/skylite/memory/onkv/onrest"
)

// TestMemoryOverKV runs the conformance suite over KV's REST API against our server. The
// namespaces are shared; each store has its own prefix of keys.
func TestMemoryOverKV(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	cfg := onrest.Config{REST: rest.Config{API: cloudflare.Config{BaseURL: f.base, APIToken: token}, AccountID: account}, NamespacePrefix: "app"}
	open := func(prefix string) *onrest.Store {
		c := cfg
		c.KeyPrefix = prefix
		s, err := onrest.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	var wg sync.WaitGroup // many that make the namespaces at once
	for range 4 {
		wg.Go(func() { open("") })
	}
	wg.Wait()
	list, err := rest.NewNamespaces(cfg.REST)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for info, err := range list.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		titles = append(titles, info.Title)
	}
	if got := strings.Join(titles, " "); got != "app_messages app_metadata app_threads" {
		t.Errorf("namespaces %s", got)
	}
	for name, change := range map[string]func(*onrest.Config){
		"no account": func(c *onrest.Config) { c.REST.AccountID = " " },
		"a prefix":   func(c *onrest.Config) { c.NamespacePrefix = "a b" },
	} {
		c := cfg
		change(&c)
		if _, err := onrest.Open(t.Context(), c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	memorytest.Run(t, memorytest.Options{LastWriteWins: true}, func(t *testing.T) memory.Store { return open(t.Name()) })
}
