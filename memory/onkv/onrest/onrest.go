// Package onrest keeps conversations in Workers KV over Cloudflare's REST API, in
// namespaces that it makes.
//
//	store, err := onrest.Open(ctx, onrest.Config{REST: rest.Config{AccountID: …}, NamespacePrefix: "app"})
//
// See package memory/onkv for the keys, and for what KV does not promise.
package onrest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/rest"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/onkv"
)

// Config says where the namespaces are, and how they are called.
type Config struct {
	// REST says how to reach the account. NamespaceID is not used.
	REST rest.Config
	// NamespacePrefix stands before the titles of the three namespaces: app gives
	// app_threads, app_messages and app_metadata; empty gives threads and so on. It is of
	// letters, digits, _ and -.
	NamespacePrefix string
	// KeyPrefix is that of [onkv.Config].
	KeyPrefix string
}

// Store is a store whose namespaces Close gives up.
type Store struct {
	*onkv.Store
	client *cloudflare.Client // nil if it is the caller's
	spaces []*rest.Namespace
}

// Open returns a store in three namespaces of an account, and makes those that there are
// not. It asks the account for them once; another program may make them at the same time.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	switch {
	case strings.TrimSpace(cfg.REST.AccountID) == "":
		return nil, memory.Invalidf("accountId is required for REST API")
	case strings.Trim(cfg.NamespacePrefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "":
		return nil, memory.Invalidf("invalid NamespacePrefix %.60q: only letters, numbers, - and _ are allowed", cfg.NamespacePrefix)
	}
	s := &Store{}
	if cfg.REST.Client == nil {
		client, err := cloudflare.New(cfg.REST.API)
		if err != nil {
			return nil, err
		}
		cfg.REST.Client, s.client = client, client
	}
	if err := s.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, cfg Config) error {
	list, err := rest.NewNamespaces(cfg.REST)
	if err != nil {
		return err
	}
	known := map[string]string{}
	for info, err := range list.All(ctx) {
		if err != nil {
			return err
		}
		known[info.Title] = info.ID
	}
	var all [3]kv.Namespace
	for i, table := range []string{"threads", "messages", "metadata"} {
		title := table
		if cfg.NamespacePrefix != "" {
			title = cfg.NamespacePrefix + "_" + table
		}
		id := known[title]
		if id == "" {
			if id, err = create(ctx, list, title); err != nil {
				return fmt.Errorf("memory: the namespace %s: %w", title, err)
			}
		}
		one := cfg.REST
		one.NamespaceID = id
		ns, err := rest.Open(one)
		if err != nil {
			return err
		}
		s.spaces = append(s.spaces, ns)
		all[i] = ns
	}
	s.Store, err = onkv.New(onkv.Config{KeyPrefix: cfg.KeyPrefix,
		Bindings: onkv.Bindings{Threads: all[0], Messages: all[1], Metadata: all[2]}})
	return err
}

func create(ctx context.Context, list *rest.Namespaces, title string) (string, error) {
	info, err := list.Create(ctx, title)
	if errors.Is(err, rest.ErrTitleTaken) { // since the list was read
		info, err = list.ByTitle(ctx, title)
	}
	return info.ID, err
}

// Close waits for requests under way.
func (s *Store) Close() error {
	var errs []error
	for _, ns := range s.spaces {
		errs = append(errs, ns.Close())
	}
	if s.client != nil {
		s.client.Close()
	}
	return errors.Join(errs...)
}
