package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/server"
)

// TestRestarts runs the program three times, on a file and on a server: only the string
// is another.
func TestRestarts(t *testing.T) {
	t.Parallel()
	srv, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	front := httptest.NewServer(srv)
	t.Cleanup(front.Close)
	databases, err := rest.NewDatabases(rest.Config{API: cloudflare.Config{BaseURL: front.URL + "/client/v4", APIToken: "local"}, AccountID: "local"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := databases.Create(t.Context(), "app", rest.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]string{
		"file":   "file:" + filepath.Join(t.TempDir(), "agent.db"),
		"server": "d1://local/app?token=local&base_url=" + front.URL + "/client/v4",
	} {
		t.Run(name, func(t *testing.T) {
			for _, step := range [][2]string{
				{"Hello?\n", "We have not met.\n"},
				{"My name is Ada.\nWell?\n", "Hello Ada.\nAda, before that you said: My name is Ada.\n"},
				{"And now?\n", "Ada, before that you said: Well?\n"},
			} {
				var out strings.Builder
				if err := run(t.Context(), dsn, strings.NewReader(step[0]), &out); err != nil {
					t.Fatal(err)
				}
				if out.String() != step[1] {
					t.Errorf("said %q, heard %q; want %q", step[0], out.String(), step[1])
				}
			}
		})
	}
}
