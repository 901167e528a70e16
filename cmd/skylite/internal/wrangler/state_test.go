package wrangler_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/skylite-go/skylite/cmd/skylite/internal/wrangler"
)

// The names are those that wrangler 4.164 with workerd 1.20261117 gave its files.
func TestFile(t *testing.T) {
	t.Parallel()
	const id = "11111111-1111-4111-8111-111111111111"
	const ofID, ofBinding = "1d86945724128759ebd10400e22d0254fbaa8faa130296b866e732c3fac26237",
		"5402bacf48257d4c8a614f22254b1d7b36aff4e89696ead379cac0f1f9a53e08"
	config := wrangler.Config{Path: filepath.Join("w", "wrangler.jsonc")}
	for _, tt := range []struct {
		db              wrangler.Database
		persistTo, want string
	}{
		{wrangler.Database{Binding: "DB", Name: "shop", ID: id}, "", filepath.Join("w", ".wrangler", "state", "v3", "d1", "miniflare-D1DatabaseObject", ofID+".sqlite")},
		{wrangler.Database{Binding: "DB", ID: "other", PreviewID: id}, "p", filepath.Join("p", "v3", "d1", "miniflare-D1DatabaseObject", ofID+".sqlite")},
		{wrangler.Database{Binding: "B2", Name: "two"}, "p", filepath.Join("p", "v3", "d1", "miniflare-D1DatabaseObject", ofBinding+".sqlite")},
	} {
		if got := config.State(tt.persistTo).File(tt.db); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.db, got, tt.want)
		}
	}
}

// TestGuard lets another process lock files as workerd does.
func TestGuard(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]func(s wrangler.State, db wrangler.Database) string{
		"workerd": func(s wrangler.State, db wrangler.Database) string {
			return filepath.Join(filepath.Dir(s.File(db)), "metadata.sqlite")
		},
		"an older workerd": wrangler.State.File,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := wrangler.State{Dir: t.TempDir()}, wrangler.Database{Binding: "DB"}
			if err := s.Guard(db)(); err != nil {
				t.Errorf("there is nothing yet: %v", err)
			}
			if err := s.Make(); err != nil {
				t.Fatal(err)
			}
			path := file(s, db)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			before := s.Guard(db)
			if err := before(); err != nil {
				t.Errorf("nobody has it: %v", err)
			}
			release := hold(t, path)
			during := s.Guard(db)
			if err := during(); !errors.Is(err, wrangler.ErrRunning) {
				t.Errorf("another process has it: %v", err)
			}
			if name == "workerd" {
				if err := before(); !errors.Is(err, wrangler.ErrRunning) {
					t.Errorf("another process has it, since a moment: %v", err)
				}
			}
			release()
			if err := s.Guard(db)(); err != nil {
				t.Errorf("nobody has it any more: %v", err)
			}
		})
	}
}
