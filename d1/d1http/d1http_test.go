package d1http_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1http"
	"github.com/skylite-go/skylite/d1/embedded"
)

// handler adds a row with POST and counts rows with GET.
func handler(w http.ResponseWriter, r *http.Request) {
	session := d1http.Session(r.Context())
	if r.Method == http.MethodPost {
		if _, err := session.Run(r.Context(), "INSERT INTO t VALUES (1)"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
		return
	}
	n, err := d1.First[int](r.Context(), session, "SELECT count(*) FROM t")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, n)
}

// lagging is a database whose replicas never catch up.
func lagging(t testing.TB) *d1.DB {
	t.Helper()
	cfg := embedded.Config{Path: filepath.Join(t.TempDir(), "app.db")}
	for _, replicas := range []int{0, 2} {
		cfg.Replicas, cfg.Lag = replicas, time.Hour
		backend, err := embedded.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		db := d1.New(backend)
		if replicas > 0 {
			t.Cleanup(func() { db.Close() })
			return db
		}
		if _, err := db.Run(t.Context(), "CREATE TABLE t (a)"); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	return nil
}

func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	opts := d1http.Options{Cookie: "bookmark"}
	h := d1http.Sessions(lagging(t), opts, http.HandlerFunc(handler))
	do := func(method string, prepare func(r *http.Request)) *http.Response {
		r := httptest.NewRequest(method, "https://example.com/", nil)
		if prepare != nil {
			prepare(r)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	body := func(resp *http.Response) string {
		var b strings.Builder
		_ = resp.Write(&b)
		return b.String()[strings.LastIndex(b.String(), "\n")+1:]
	}
	written := do("POST", nil)
	bookmark := written.Header.Get("X-D1-Bookmark")
	if len(bookmark) != 59 || len(written.Cookies()) != 1 {
		t.Fatalf("headers %v", written.Header)
	}
	cookie := written.Cookies()[0]
	if cookie.Value != bookmark || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", cookie)
	}
	for name, tt := range map[string]struct {
		prepare func(r *http.Request)
		want    string
	}{
		"the header carries it": {func(r *http.Request) { r.Header.Set("x-d1-bookmark", bookmark) }, "1"},
		"the cookie carries it": {func(r *http.Request) { r.AddCookie(cookie) }, "1"},
		"nothing carries it":    {nil, "0"},
		"a cookie that is none": {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "bookmark", Value: strings.Repeat("x", 200)}) }, "0"},
	} {
		if got := body(do("GET", tt.prepare)); got != tt.want {
			t.Errorf("%s: %s rows, want %s", name, got, tt.want)
		}
	}
	bad := do("GET", func(r *http.Request) { r.Header.Set("x-d1-bookmark", "not a bookmark") })
	if bad.StatusCode != http.StatusBadRequest {
		t.Errorf("a header that is none: %d", bad.StatusCode)
	}
}

func TestNoSession(t *testing.T) {
	t.Parallel()
	_, err := d1http.Session(t.Context()).Run(t.Context(), "SELECT 1")
	if !d1.Unsent(err) || !strings.Contains(err.Error(), "d1http.Sessions") {
		t.Errorf("error %v", err)
	}
}
