package server_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// travel makes a call about a database's states, and returns its result.
func (a *api) travel(method, id, call string) (result struct {
	Bookmark string
	Previous string `json:"previous_bookmark"`
	Message  string
}) {
	a.t.Helper()
	status, answer := a.do(method, databases+"/"+id+"/time_travel/"+call, "")
	var envelope struct{ Result any }
	envelope.Result = &result
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil || status != 200 || result.Bookmark == "" {
		a.t.Fatalf("%s: %d %s", call, status, answer)
	}
	return result
}

func TestTimeTravel(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	id := a.create("shop")
	count := func() string {
		answer := a.mustSQL(id, "SELECT group_concat(a) AS a FROM t")
		_, rest, _ := strings.Cut(answer, `{"a":`)
		value, _, _ := strings.Cut(rest, "}")
		return value
	}
	a.mustSQL(id, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
	first := a.travel("GET", id, "bookmark").Bookmark
	moment := time.Now()
	time.Sleep(2 * time.Millisecond)
	a.mustSQL(id, "INSERT INTO t VALUES (2)")
	second := a.travel("GET", id, "bookmark").Bookmark
	if first >= second {
		t.Errorf("bookmark %s comes after %s", first, second)
	}
	timestamp := "timestamp=" + url.QueryEscape(moment.In(time.FixedZone("", 3600)).Format("2006-01-02T15:04:05.000Z07:00"))
	for range 2 {
		if got := a.travel("GET", id, "bookmark?"+timestamp).Bookmark; got != first {
			t.Errorf("the bookmark of the time is %s, want %s", got, first)
		}
	}
	done := a.travel("POST", id, "restore?bookmark="+first)
	if got := count(); got != `"1"` || done.Previous != second || done.Bookmark <= second || done.Message != "Restored successfully" {
		t.Errorf("rows %s, %+v", got, done)
	}
	if a.travel("POST", id, "restore?bookmark="+done.Previous); count() != `"1,2"` {
		t.Errorf("undone: rows %s", count())
	}
	if a.travel("POST", id, "restore?"+timestamp); count() != `"1"` {
		t.Errorf("by time: rows %s", count())
	}
}

func TestTimeTravelErrors(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	id, other := a.create("shop"), a.create("other")
	ours := a.travel("GET", id, "bookmark").Bookmark
	theirs := a.travel("GET", other, "bookmark").Bookmark
	const missing = "11111111-1111-4111-8111-111111111111"
	for _, tt := range []struct {
		method, path, want string
		status, code       int
	}{
		{"POST", id + "/time_travel/restore", "a restore needs either a bookmark or a timestamp", 400, 7400},
		{"POST", id + "/time_travel/restore?bookmark=" + ours + "&timestamp=2026-01-01T00:00:00Z", "a restore needs either", 400, 7400},
		{"POST", id + "/time_travel/restore?bookmark=x", "malformed bookmark", 400, 7400},
		{"POST", id + "/time_travel/restore?bookmark=first-primary", "a restore needs the bookmark of a state", 400, 7400},
		{"POST", id + "/time_travel/restore?bookmark=" + theirs, "the bookmark is one of another database", 400, 7400},
		{"POST", id + "/time_travel/restore?bookmark=ffffffff" + ours[8:], "a state to come", 400, 7400},
		{"POST", id + "/time_travel/restore?timestamp=2001-01-01T00:00:00Z", "the history of the database begins at", 400, 7400},
		{"GET", id + "/time_travel/bookmark?timestamp=2001-01-01T00:00:00Z", "the history of the database begins at", 400, 7400},
		{"GET", id + "/time_travel/bookmark?timestamp=9999-01-01T00:00:00Z", "there is no state of 9999-01-01T00:00:00Z yet", 400, 7400},
		{"GET", id + "/time_travel/bookmark?timestamp=yesterday", "Invalid property: timestamp => Expected a time", 400, 7400},
		{"GET", missing + "/time_travel/bookmark", "could not be found", 404, 7404},
		{"POST", missing + "/time_travel/restore?bookmark=" + ours, "could not be found", 404, 7404},
	} {
		status, answer := a.do(tt.method, databases+"/"+tt.path, "")
		var envelope struct {
			Errors []struct {
				Code    int
				Message string
			}
		}
		if err := json.Unmarshal([]byte(answer), &envelope); err != nil || len(envelope.Errors) != 1 || status != tt.status ||
			envelope.Errors[0].Code != tt.code || !strings.Contains(envelope.Errors[0].Message, tt.want) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, status, answer)
		}
	}
	for name, cfg := range map[string]server.Config{"memory": {}, "off": {DataDir: t.TempDir(), Retention: -1}} {
		a := start(t, cfg)
		id := a.create("shop")
		for _, call := range []string{"bookmark", "restore?bookmark=" + ours} {
			method := "GET"
			if strings.HasPrefix(call, "restore") {
				method = "POST"
			}
			status, answer := a.do(method, databases+"/"+id+"/time_travel/"+call, "")
			if status != 400 || answer != failure(7400, "This database has no time travel.") {
				t.Errorf("%s: %s: %d %s", name, call, status, answer)
			}
		}
	}
}
