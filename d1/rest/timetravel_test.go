package rest_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
)

func TestBookmarkAt(t *testing.T) {
	t.Parallel()
	const bookmark = "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683"
	moment := time.Date(2026, 10, 5, 6, 12, 9, 0, time.FixedZone("", 7200))
	for name, c := range map[string]struct {
		at          time.Time
		query       string
		status      int
		body        string
		want        d1.Bookmark
		unsupported bool
	}{
		"now":               {query: "", status: 200, body: `{"result":{"bookmark":"` + bookmark + `"},"success":true,"errors":[],"messages":[]}`, want: bookmark},
		"then":              {at: moment, query: "timestamp=2026-10-05T04%3A12%3A09.000Z", status: 200, body: `{"result":{"bookmark":"` + bookmark + `"},"success":true}`, want: bookmark},
		"no bookmark":       {status: 200, body: `{"result":{},"success":true}`},
		"unknown database":  {status: 404, body: apiFailure(7404, "The database could not be found")},
		"unknown route":     {status: 404, body: apiFailure(7003, "Could not route to /x"), unsupported: true},
		"not here":          {status: 400, body: apiFailure(7400, "This version of skylite has no time travel."), unsupported: true},
		"bad request":       {status: 400, body: apiFailure(7400, "The request is malformed")},
		"not authenticated": {status: 401, body: apiFailure(10000, "Authentication error")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" || r.URL.Path != "/accounts/"+account+"/d1/database/"+uuid+"/time_travel/bookmark" || r.URL.RawQuery != c.query {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			}))
			got, err := db.BookmarkAt(t.Context(), c.at)
			if got != c.want || (err == nil) != (c.want != "") || errors.Is(err, errors.ErrUnsupported) != c.unsupported {
				t.Errorf("%q, error %v", got, err)
			}
		})
	}
	db := open(t, http.NotFoundHandler())
	db.Close()
	if _, err := db.BookmarkAt(t.Context(), time.Time{}); !errors.Is(err, d1.ErrClosed) {
		t.Errorf("closed: error %v", err)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	const target = "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683"
	calls := 0
	db := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.Method != "POST" || r.URL.Path != "/accounts/"+account+"/d1/database/"+uuid+"/time_travel/restore" ||
			r.URL.RawQuery != "bookmark="+target {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		if calls == 2 {
			w.WriteHeader(502)
			return
		}
		io.WriteString(w, `{"result":{"bookmark":"b","previous_bookmark":"a","message":"Restored"},"success":true}`)
	}))
	got, err := db.Restore(t.Context(), target)
	if want := (d1.Restored{Bookmark: "b", Previous: "a", Message: "Restored"}); err != nil || got != want {
		t.Errorf("%+v, error %v", got, err)
	}
	if _, err := db.Restore(t.Context(), target); !d1.Ambiguous(err) || calls != 2 {
		t.Errorf("after %d calls: error %v", calls, err)
	}
	if _, err := db.Restore(t.Context(), d1.FirstPrimary); !d1.Unsent(err) || calls != 2 {
		t.Errorf("to a constraint: error %v", err)
	}
}
