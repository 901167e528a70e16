package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
)

func manage(t *testing.T, h http.HandlerFunc) *rest.Databases {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	d, err := rest.NewDatabases(rest.Config{AccountID: account, API: cloudflare.Config{BaseURL: server.URL, APIToken: token}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestListPages lists 25 databases from services that count pages in their own
// ways.
func TestListPages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		perPage, limit int // of the service
		info           bool
		want, calls    int
	}{
		{"as asked", 10, 10, true, 25, 3},
		{"no info", 10, 10, false, 25, 3},
		{"smaller pages", 1000, 20, true, 25, 2},
		{"ends on an empty page", 5, 5, true, 25, 6},
		{"no pages", 10, 0, false, 25, 2},
	} {
		calls := 0
		d := manage(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			size, first := test.limit, (page-1)*test.limit
			if test.limit == 0 {
				size, first = 25, 0
			}
			dbs := []rest.Database{}
			for i := first; i < min(25, first+size); i++ {
				dbs = append(dbs, rest.Database{UUID: fmt.Sprint("id", i)})
			}
			answer := map[string]any{"success": true, "result": dbs}
			if test.info {
				answer["result_info"] = map[string]int{"page": page, "per_page": size, "count": len(dbs), "total_count": 25}
			}
			json.NewEncoder(w).Encode(answer)
		})
		got := 0
		for db, err := range d.List(t.Context(), rest.ListOptions{PerPage: test.perPage}) {
			if err != nil || db.UUID != fmt.Sprint("id", got) {
				t.Fatal(db, err)
			}
			got++
		}
		if got != test.want || calls != test.calls {
			t.Errorf("%s: %d databases in %d calls", test.name, got, calls)
		}
	}
}

func TestManagement(t *testing.T) {
	t.Parallel()
	var last string
	d := manage(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last = r.Method + " " + r.URL.EscapedPath() + " " + string(body)
		if r.Method == "DELETE" {
			io.WriteString(w, `{"result":null,"success":true,"errors":[],"messages":[]}`)
			return
		}
		io.WriteString(w, `{"result":{"uuid":"`+uuid+`","name":"prod","created_at":"2026-10-05T04:12:09.123Z","version":"production",
			"num_tables":3,"file_size":12288,"running_in_region":"WEUR","created_in_region":"WEUR","jurisdiction":null,
			"read_replication":{"mode":"auto"}},"success":true,"errors":[],"messages":[]}`)
	})
	base := " /accounts/" + account + "/d1/database"
	db, err := d.Create(t.Context(), "prod", rest.CreateOptions{LocationHint: "weur", ReadReplication: &rest.ReadReplication{Mode: "auto"}})
	if want := `POST` + base + ` {"name":"prod","primary_location_hint":"weur","read_replication":{"mode":"auto"}}`; err != nil || last != want {
		t.Errorf("got %v %s", err, last)
	}
	if db.UUID != uuid || db.CreatedAt.Nanosecond() != 123e6 || db.NumTables != 3 || db.FileSize != 12288 ||
		db.RunningInRegion != "WEUR" || db.Jurisdiction != "" || db.ReadReplication.Mode != "auto" {
		t.Errorf("got %+v", db)
	}
	if _, err := d.Get(t.Context(), "a/b"); err != nil || last != "GET"+base+"/a%2Fb " {
		t.Errorf("got %v %s", err, last)
	}
	_, err = d.Update(t.Context(), uuid, rest.UpdateOptions{ReadReplication: &rest.ReadReplication{Mode: "disabled"}})
	if want := "PATCH" + base + "/" + uuid + ` {"read_replication":{"mode":"disabled"}}`; err != nil || last != want {
		t.Errorf("got %v %s", err, last)
	}
	if err := d.Delete(t.Context(), uuid); err != nil || last != "DELETE"+base+"/"+uuid+" " {
		t.Errorf("got %v %s", err, last)
	}
	for _, err := range []error{d.Delete(t.Context(), ""), second(d.Get(t.Context(), "")), second(d.Update(t.Context(), "", rest.UpdateOptions{}))} {
		if !d1.Unsent(err) {
			t.Errorf("without an id: got %v", err)
		}
	}
}

func second(_ rest.Database, err error) error { return err }

func TestManagementErrors(t *testing.T) {
	t.Parallel()
	d := manage(t, status(400, apiFailure(7502, "a database with that name already exists")))
	_, err := d.Create(t.Context(), "prod", rest.CreateOptions{})
	if e, _ := errors.AsType[*d1.Error](err); e == nil || e.APICode != 7502 || e.Outcome != d1.OutcomeRefused {
		t.Errorf("got %v", err)
	}
	for _, err = range manage(t, status(401, apiFailure(10000, "Authentication error"))).List(t.Context(), rest.ListOptions{}) {
		if e, _ := errors.AsType[*d1.Error](err); e == nil || e.APICode != 10000 {
			t.Errorf("got %v", err)
		}
	}
	_, err = manage(t, drop).Create(t.Context(), "prod", rest.CreateOptions{})
	if !d1.Ambiguous(err) {
		t.Errorf("got %v", err)
	}
}
