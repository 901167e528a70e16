package server_test

import (
	"strings"
	"testing"

	"github.com/skylite-go/skylite/server"
)

func TestQueryGolden(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	meta := func(changes, last, changed string) string {
		return `,"success":true,"meta":{"served_by":"v3-prod","served_by_region":"WEUR","served_by_colo":"AMS","served_by_primary":true,` +
			`"timings":{"sql_duration_ms":0.1},"duration":0.1,"changes":` + changes + `,"last_row_id":` + last +
			`,"changed_db":` + changed + `,"size_after":4096,"rows_read":0,"rows_written":0,"total_attempts":1}}`
	}
	const tail = `],"success":true,"errors":[],"messages":[]}`
	tests := []struct{ name, end, body, want string }{
		{"several statements", "query", `{"sql":"CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t (a) VALUES ('x'), (NULL); SELECT * FROM t;  "}`,
			`{"result":[{"results":[]` + meta("0", "0", "true") + `,{"results":[]` + meta("2", "2", "true") +
				`,{"results":[{"id":1,"a":"x"},{"id":2,"a":null}]` + meta("0", "2", "false") + tail},
		{"raw", "raw", `{"sql":"SELECT id, a, a FROM t WHERE id = ?","params":[1]}`,
			`{"result":[{"results":{"columns":["id","a","a"],"rows":[[1,"x","x"]]}` + meta("0", "2", "false") + tail},
		{"raw without columns", "raw", `{"sql":"DELETE FROM t WHERE id = 9"}`,
			`{"result":[{"results":{"columns":[],"rows":[]}` + meta("0", "2", "false") + tail},
		{"raw without rows", "raw", `{"sql":"SELECT * FROM t WHERE 0"}`,
			`{"result":[{"results":{"columns":["id","a"],"rows":[]}` + meta("0", "2", "false") + tail},
		{"batch", "query", `{"batch":[{"sql":"INSERT INTO t (a) VALUES (?) RETURNING id","params":["y"]},{"sql":"SELECT 1; SELECT 2"}]}`,
			`{"result":[{"results":[{"id":3}]` + meta("1", "3", "true") + `,{"results":[{"1":1}]` + meta("0", "3", "false") +
				`,{"results":[{"2":2}]` + meta("0", "3", "false") + tail},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := a.do("POST", databases+"/"+id+"/"+tt.end, tt.body)
			if got = steady(got); status != 200 || got != tt.want {
				t.Errorf("got %d %s\nwant %s", status, got, tt.want)
			}
		})
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	tests := []struct{ name, body, want string }{
		{"how numbers are bound", `{"sql":"SELECT typeof(?1) a, typeof(?2) b, typeof(?3) c, ?1/2 d","params":[7,1.5,true]}`,
			`{"a":"real","b":"real","c":"real","d":3.5}`},
		{"how others are bound", `{"sql":"SELECT typeof(?) a, typeof(?) b, typeof(?) c, typeof(?) d","params":["1",null,[1],[]]}`,
			`{"a":"text","b":"null","c":"blob","d":"blob"}`},
		{"what comes back", `{"sql":"SELECT ? a, ? b, ? c, ? d","params":["é\u0000\"\\ud83d\ude48 \ud800",[0,128,255],[],false]}`,
			`{"a":"é\u0000\"\\ud83d` + "\uFFFD \uFFFD" + `","b":[0,128,255],"c":[],"d":0}`},
		{"integers", `{"sql":"SELECT 9007199254740993 a, 9223372036854775807 b, -9007199254740993 c, 42 d"}`,
			`{"a":9007199254740992,"b":9223372036854776000,"c":-9007199254740992,"d":42}`},
		{"reals", `{"sql":"SELECT 1.0 a, 1e21 b, 1e-7 c, -0.0 d, 9e999 e, -9e999 f, 0.1+0.2 g, 1e20 h"}`,
			`{"a":1,"b":1e+21,"c":1e-7,"d":0,"e":null,"f":null,"g":0.30000000000000004,"h":100000000000000000000}`},
		{"numbers beyond doubles", `{"sql":"SELECT ? a, ? b","params":[9007199254740993,1e999]}`, `{"a":9007199254740992,"b":null}`},
		{"broken text", `{"sql":"SELECT CAST(x'41ff42e282' AS TEXT) a, x'00' b"}`, `{"a":"A` + "\uFFFDB\uFFFD" + `","b":[0]}`},
		{"HTML", `{"sql":"SELECT '<a>&\u2028' \"<b>\""}`, `{"<b>":"<a>&` + "\u2028" + `"}`},
		{"last of duplicates", `{"sql":"SELECT 1 a, 2 b, 3 a"}`, `{"a":3,"b":2}`},
		{"array indexes first", `{"sql":"SELECT 1 b, 2 \"10\", 3 \"9\", 4 \"01\", 5 \"4294967295\", 6 \"4294967294\", 7 \"0\", 8 \"-1\""}`,
			`{"0":7,"9":3,"10":2,"4294967294":6,"b":1,"01":4,"4294967295":5,"-1":8}`},
		{"comment in a name", `{"sql":"select 1 -- trailing"}`, `{"1 -- trailing":1}`},
		{"named parameters", `{"sql":"SELECT :a a, @b b, $c c, ?1 d","params":["1","2","3"]}`, `{"a":"1","b":"2","c":"3","d":"1"}`},
		{"double quotes", `{"sql":"SELECT \"nope\" a"}`, `{"a":"nope"}`},
		{"byte order mark", "\uFEFF" + `{"sql":"SELECT 1 a"}`, `{"a":1}`},
		{"unknown keys", `{"sql":"SELECT 1 a","x":{"y":[null,true,-1.5e3,"\n"]}}`, `{"a":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := a.do("POST", databases+"/"+id+"/query", tt.body)
			want := `{"result":[{"results":[` + tt.want + `]}],"success":true,"errors":[],"messages":[]}`
			if got = results(got); status != 200 || got != want {
				t.Errorf("got %d %s\nwant %s", status, got, want)
			}
		})
	}
}

func TestAffinity(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (i INTEGER, x TEXT, n)")
	status, got := a.do("POST", databases+"/"+id+"/query",
		`{"batch":[{"sql":"INSERT INTO t VALUES (?1, ?1, ?1)","params":[5]},{"sql":"SELECT typeof(i) i, x, typeof(n) n FROM t"}]}`)
	if want := `{"i":"integer","x":"5.0","n":"real"}`; status != 200 || !strings.Contains(got, want) {
		t.Errorf("got %d %s", status, got)
	}
}

func TestOneTransaction(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (x UNIQUE)")
	for _, body := range []string{
		`{"sql":"INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)"}`,
		`{"batch":[{"sql":"INSERT INTO t VALUES (?)","params":[1]},{"sql":"INSERT INTO nope VALUES (1)"}]}`,
		`{"sql":"INSERT INTO t VALUES (1); SELECT json('{')"}`,
	} {
		if status, got := a.do("POST", databases+"/"+id+"/query", body); status != 400 || !strings.Contains(got, `"code":7500`) {
			t.Errorf("%s: got %d %s", body, status, got)
		}
	}
	if got := results(a.mustSQL(id, "SELECT count(*) n FROM t")); !strings.Contains(got, `{"n":0}`) {
		t.Errorf("something was left: %s", got)
	}
}

// TestMigration is what wrangler sends for `d1 migrations apply`.
func TestMigration(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE IF NOT EXISTS \"d1_migrations\"(\n\tid INTEGER PRIMARY KEY AUTOINCREMENT,\n\tname TEXT UNIQUE,\n"+
		"\tapplied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL\n);")
	a.mustSQL(id, "-- a; b\nCREATE TABLE t (x);\r\ncreate trigger tr after insert on t begin\n  update t set x = 1; -- ;\nend;\n\n"+
		"INSERT INTO \"d1_migrations\" (name)\nvalues ('0001_x.sql');\n")
	if got := a.mustSQL(id, `SELECT * FROM "d1_migrations" ORDER BY id`); !strings.Contains(got, `"name":"0001_x.sql"`) {
		t.Errorf("got %s", got)
	}
}
