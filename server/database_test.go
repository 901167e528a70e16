package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/server"
)

const nobody = "00000000-0000-0000-0000-000000000000"

func TestDatabaseBodies(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	const created = `{"result":{"uuid":"UUID","name":"%s","created_at":"2026-10-05T04:12:09.123Z","version":"production",` +
		`"num_tables":0,"file_size":4096,"running_in_region":"%s","read_replication":{"mode":"%s"},"jurisdiction":%s,` +
		`"created_in_region":"%[2]s","primary_location_hint":%[5]s},"success":true,"errors":[],"messages":[]}`
	const enum = "Invalid enum value. Expected "
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"plain", `{"name":"plain"}`, 200, fmt.Sprintf(created, "plain", "WEUR", "disabled", "null", "null")},
		{"hint", `{"name":"hint","primary_location_hint":"apac"}`, 200, fmt.Sprintf(created, "hint", "APAC", "disabled", "null", `"apac"`)},
		{"everything", `{"name":"all","primary_location_hint":"oc","jurisdiction":"eu","read_replication":{"mode":"auto"}}`,
			200, fmt.Sprintf(created, "all", "WEUR", "auto", `"eu"`, `"oc"`)},
		{"Prisma", `{"name":"_prisma_shadow_0"}`, 200, fmt.Sprintf(created, "_prisma_shadow_0", "WEUR", "disabled", "null", "null")},
		{"duplicate", `{"name":"plain"}`, 400, failure(7502, "Database with name 'plain' already exists")},
		{"no name", `{}`, 400, failure(7400, "Invalid property: name => Required")},
		{"empty name", `{"name":""}`, 400, failure(7400, "Invalid property: name => String must contain at least 1 character(s)")},
		{"long name", `{"name":"` + strings.Repeat("n", 256) + `"}`, 400,
			failure(7400, "Invalid property: name => String must contain at most 255 character(s)")},
		{"name with NUL", `{"name":"a\u0000"}`, 400, failure(7400, "Invalid property: name => Invalid")},
		{"name a number", `{"name":7}`, 400, failure(7400, "Invalid property: name => Expected string, received number")},
		{"bad hint", `{"name":"x","primary_location_hint":"mars"}`, 400, failure(7400, "Invalid property: primary_location_hint => "+
			enum+"'wnam' | 'enam' | 'weur' | 'eeur' | 'apac' | 'oc', received 'mars'")},
		{"bad jurisdiction", `{"name":"x","jurisdiction":"mars"}`, 400,
			failure(7400, "Invalid property: jurisdiction => "+enum+"'eu' | 'fedramp' | 'us', received 'mars'")},
		{"bad mode", `{"name":"x","read_replication":{"mode":"on"}}`, 400,
			failure(7400, "Invalid property: read_replication.mode => "+enum+"'auto' | 'disabled', received 'on'")},
		{"no mode", `{"name":"x","read_replication":{}}`, 400, failure(7400, "Invalid property: read_replication.mode => Required")},
		{"bad JSON", `{"name":`, 400, failure(7400, "The request is malformed: Unexpected end of JSON input")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := a.do("POST", databases, tt.body)
			if got = steady(got); status != tt.status || got != tt.want {
				t.Errorf("got %d %s\nwant %d %s", status, got, tt.status, tt.want)
			}
		})
	}
}

func TestDatabaseRoutes(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("app")
	a.mustSQL(id, "CREATE TABLE a (x); CREATE TABLE b (x)")
	details := func(mode string) string {
		return `{"result":{"uuid":"UUID","name":"app","created_at":"2026-10-05T04:12:09.123Z","version":"production","num_tables":2,` +
			`"file_size":4096,"running_in_region":"WEUR","read_replication":{"mode":"` + mode + `"},"jurisdiction":null},` +
			`"success":true,"errors":[],"messages":[]}`
	}
	short := `{"result":{"uuid":"UUID","name":"app"},"success":true,"errors":[],"messages":[]}`
	notUUID := failure(7400, "Invalid property: databaseId => Invalid uuid")
	gone := failure(7404, "The database "+nobody+" could not be found")
	tests := []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"get", "GET", "/" + id, "", 200, details("disabled")},
		{"get by upper-case UUID", "GET", "/" + strings.ToUpper(id), "", 200, details("disabled")},
		{"get by name", "GET", "/app", "", 200, details("disabled")},
		{"fields", "GET", "/app?fields=uuid%2Cname", "", 200, short},
		{"fields repeated", "GET", "/" + id + "?fields=name&fields=uuid", "", 200, short},
		{"get unknown", "GET", "/" + nobody, "", 404, gone},
		{"get unknown name", "GET", "/nope", "", 404, failure(7404, "The database nope could not be found")},
		{"put", "PUT", "/" + id, `{"read_replication":{"mode":"auto"}}`, 200, details("auto")},
		{"put nothing", "PUT", "/" + id, `{}`, 400, failure(7400, "Invalid property: read_replication => Required")},
		{"patch nothing", "PATCH", "/" + id, `{}`, 200, details("auto")},
		{"patch", "PATCH", "/" + id, `{"read_replication":{"mode":"disabled"}}`, 200, details("disabled")},
		{"patch by name", "PATCH", "/app", `{}`, 400, notUUID},
		{"query by name", "POST", "/app/query", `{"sql":"SELECT 1"}`, 400, notUUID},
		{"query unknown", "POST", "/" + nobody + "/query", `{"sql":"SELECT 1"}`, 404, gone},
		{"delete by name", "DELETE", "/app", "", 400, notUUID},
		{"delete", "DELETE", "/" + id, "", 200, `{"result":null,"success":true,"errors":[],"messages":[]}`},
		{"delete again", "DELETE", "/" + id, "", 404, failure(7404, "The database UUID could not be found")},
		{"query after the end", "POST", "/" + id + "/raw", `{"sql":"SELECT 1"}`, 404, failure(7404, "The database UUID could not be found")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := a.do(tt.method, databases+tt.path, tt.body)
			if got = steady(got); status != tt.status || got != tt.want {
				t.Errorf("got %d %s\nwant %d %s", status, got, tt.status, tt.want)
			}
		})
	}
	odd := "my/ Database é?"
	a.create(odd)
	if status, got := a.do("GET", databases+"/my%2F%20Database%20%C3%A9%3F", ""); status != 200 || !strings.Contains(got, odd) {
		t.Errorf("odd name: %d %s", status, got)
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	for i := range 25 {
		a.create(fmt.Sprintf("db%02d", i))
	}
	a.create("Other")
	tests := []struct {
		name, query string
		first       string // the first name, or "" for none
		info        string
	}{
		{"all", "", "db00", `"count":26,"page":1,"per_page":1000,"total_count":26`},
		{"first page", "?page=1&per_page=10", "db00", `"count":10,"page":1,"per_page":10,"total_count":26`},
		{"last page", "?page=3&per_page=10", "db20", `"count":6,"page":3,"per_page":10,"total_count":26`},
		{"past the last", "?page=4&per_page=10", "", `"count":0,"page":4,"per_page":10,"total_count":26`},
		{"far past", "?page=9223372036854775807", "", `"count":0,"page":9223372036854775807,"per_page":1000,"total_count":26`},
		{"clamped up", "?per_page=1", "db00", `"count":10,"page":1,"per_page":10,"total_count":26`},
		{"clamped down", "?per_page=99999", "db00", `"count":26,"page":1,"per_page":10000,"total_count":26`},
		{"name", "?name=THE", "Other", `"count":1,"page":1,"per_page":1000,"total_count":1`},
		{"no such name", "?name=%25", "", `"count":0,"page":1,"per_page":1000,"total_count":0`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := a.do("GET", databases+tt.query, "")
			got = steady(got)
			head := `{"result":[`
			if tt.first != "" {
				head += `{"uuid":"UUID","name":"` + tt.first + `","created_at":"2026-10-05T04:12:09.123Z","version":"production","jurisdiction":null}`
			}
			tail := `],"result_info":{` + tt.info + `},"success":true,"errors":[],"messages":[]}`
			if status != 200 || !strings.HasPrefix(got, head) || !strings.HasSuffix(got, tail) {
				t.Errorf("got %d %s\nwant %s … %s", status, got, head, tail)
			}
		})
	}
	for query, want := range map[string]string{
		"?page=x": "page => Expected number, received nan", "?page=0": "page => Number must be greater than or equal to 1",
		"?per_page=x": "per_page => Expected number, received nan",
	} {
		if status, got := a.do("GET", databases+query, ""); status != 400 || got != failure(7400, "Invalid property: "+want) {
			t.Errorf("%s: %d %s", query, status, got)
		}
	}
}

func TestAccountRoutes(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{AccountID: account})
	const person = `"result_info":{"count":1,"page":1,"per_page":20,"total_count":1},"success":true,"errors":[],"messages":[]}`
	one := `{"id":"` + account + `","name":"Skylite","type":"standard"}`
	for path, want := range map[string]string{
		"/user": `{"result":{"email":"local@skylite.invalid","id":"` + account + `"},"success":true,"errors":[],"messages":[]}`,
		"/user/tokens/verify": `{"result":{"id":"` + account + `","status":"active"},"success":true,"errors":[],` +
			`"messages":[{"code":10000,"message":"This API Token is valid and active"}]}`,
		"/accounts?page=1":     `{"result":[` + one + `],` + person,
		"/accounts?page=2":     `{"result":[],"result_info":{"count":0,"page":2,"per_page":20,"total_count":1},"success":true,"errors":[],"messages":[]}`,
		"/accounts/" + account: `{"result":` + one + `,"success":true,"errors":[],"messages":[]}`,
		"/memberships": `{"result":[{"id":"local","status":"accepted","roles":["Super Administrator - All Privileges"],"account":` +
			one + `}],` + person,
	} {
		if status, got := a.do("GET", "/client/v4"+path, ""); status != 200 || got != want {
			t.Errorf("%s: got %d %s\nwant %s", path, status, got, want)
		}
	}
	const analytics = `{"data":{"viewer":{"accounts":[{"d1AnalyticsAdaptiveGroups":[],"d1QueriesAdaptiveGroups":[],` +
		`"d1StorageAdaptiveGroups":[]}]}},"errors":null}`
	if status, got := a.do("POST", "/client/v4/graphql", `{"query":"{}"}`); status != 200 || got != analytics {
		t.Errorf("graphql: %d %s", status, got)
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	on := start(t, server.Config{MaxDatabases: 2, Switches: server.Switches{
		LenientParams: true, NamesEverywhere: true, StrictNames: true, NameFilter: server.NameBegins, RefuseLowerCaseTriggers: true,
	}})
	off := start(t, server.Config{MaxDatabases: 2})
	for _, a := range []*api{on, off} {
		a.mustSQL(a.create("abc"), "CREATE TABLE t (x)")
	}
	const trigger = `{"sql":"CREATE TRIGGER a AFTER INSERT ON t BEGINS SELECT 1; END"}`
	tests := []struct {
		name, method, path, body string
		on, off                  int
	}{
		{"LenientParams", "POST", "ID/query", `{"sql":"SELECT 1; SELECT 2","params":[]}`, 200, 400},
		{"LenientParams, but there are some", "POST", "ID/query", `{"sql":"SELECT ?; SELECT 2","params":[1]}`, 400, 400},
		{"NamesEverywhere", "POST", "abc/query", `{"sql":"SELECT 1"}`, 200, 400},
		{"lower-case trigger", "POST", "ID/query", strings.Replace(trigger, "BEGINS", "begin", 1), 400, 200},
		{"upper-case trigger", "POST", "ID/query", strings.Replace(strings.Replace(trigger, "BEGINS", "BEGIN", 1), "TRIGGER a", "TRIGGER b", 1), 200, 200},
		{"StrictNames", "POST", "", `{"name":"_x"}`, 400, 200},
		{"MaxDatabases", "POST", "", `{"name":"c"}`, 200, 400},
	}
	for _, tt := range tests {
		for _, a := range []*api{on, off} {
			_, found := a.do("GET", databases+"/abc?fields=uuid", "")
			want := tt.off
			if a == on {
				want = tt.on
			}
			path := databases + "/" + strings.Replace(tt.path, "ID", anyUUID.FindString(found), 1)
			if status, got := a.do(tt.method, path, tt.body); status != want {
				t.Errorf("%s: got %d %s, want %d", tt.name, status, got, want)
			}
		}
	}
	if _, got := off.do("POST", databases, `{"name":"z"}`); got != failure(7406, "System limit reached: databases per account (2)") {
		t.Errorf("got %s", got)
	}
	if _, got := on.do("GET", databases+"?name=bc", ""); !strings.Contains(got, `"total_count":0`) {
		t.Errorf("NameBegins: got %s", got)
	}
}
