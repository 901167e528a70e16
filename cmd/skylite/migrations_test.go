package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/server"
)

// TestBookmarkIsPrinted applies a migration where the API has Time Travel: the bookmark
// is printed, with the command that restores it, before anything is written.
func TestBookmarkIsPrinted(t *testing.T) {
	const bookmark = "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683"
	srv, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	writes := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/time_travel/bookmark") {
			if writes > 0 {
				t.Error("something was written before the bookmark was taken")
			}
			_, _ = io.WriteString(w, `{"result":{"bookmark":"`+bookmark+`"},"success":true,"errors":[],"messages":[]}`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("CREATE TABLE")) || bytes.Contains(body, []byte("INSERT")) {
			writes++
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		srv.ServeHTTP(w, r)
	}))
	defer api.Close()
	t.Setenv("CLOUDFLARE_API_BASE_URL", api.URL+"/client/v4")
	t.Setenv("CLOUDFLARE_API_TOKEN", "token")
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", server.DefaultAccountID)

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "0001_a.sql"), []byte("CREATE TABLE a (b);"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := Run(t.Context(), append(args, "--remote"), strings.NewReader(""), &out, &errs, os.Getenv); code != 0 {
			t.Fatalf("%q: code %d\n%s", args, code, errs.String())
		}
		return out.String(), errs.String()
	}
	run("d1", "create", "shop")
	stdout, stderr := run("d1", "migrations", "apply", "shop", "--dir", dir)
	if want := "skylite d1 time-travel restore shop --bookmark=" + bookmark + " --remote\nApplied 0001_a.sql\n"; !strings.HasSuffix(stderr, want) {
		t.Errorf("it says\n%s", stderr)
	}
	if !strings.Contains(stdout, `"bookmark": "`+bookmark+`"`) || writes != 2 {
		t.Errorf("it prints, after %d writes,\n%s", writes, stdout)
	}
	if _, stderr := run("d1", "migrations", "apply", "shop", "--dir", dir); strings.Contains(stderr, "time-travel") {
		t.Errorf("with nothing to apply it says\n%s", stderr)
	}
}
