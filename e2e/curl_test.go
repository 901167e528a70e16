package e2e

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// curlExamples are requests as people type them, in the order of a database's life. $API
// stands for the account's URL and $ID for the database's id; what an answer has that
// cannot be known is written as ….
var curlExamples = []struct{ name, args, answer string }{
	{
		"create a database",
		`$API/d1/database --json '{"name":"shop"}'`,
		`{"result":{"uuid":"$ID","name":"shop","created_at":"…","version":"production","num_tables":0,"file_size":…,` +
			`"running_in_region":"WEUR","read_replication":{"mode":"disabled"},"jurisdiction":null,"created_in_region":"WEUR",` +
			`"primary_location_hint":null},"success":true,"errors":[],"messages":[]}`,
	},
	{
		"make a table",
		`$API/d1/database/$ID/query --json '{"sql":"CREATE TABLE fruit (name TEXT, price REAL); INSERT INTO fruit VALUES (\"apple\", 0.5), (\"pear\", 0.75)"}'`,
		`{"result":[{"results":[],"success":true,"meta":…},{"results":[],"success":true,"meta":…}],"success":true,"errors":[],"messages":[]}`,
	},
	{
		"query with parameters",
		`$API/d1/database/$ID/query --json '{"sql":"SELECT * FROM fruit WHERE price < ?","params":[0.6]}'`,
		`{"result":[{"results":[{"name":"apple","price":0.5}],"success":true,"meta":…}],"success":true,"errors":[],"messages":[]}`,
	},
	{
		"rows as lists",
		`$API/d1/database/$ID/raw --json '{"sql":"SELECT name FROM fruit"}'`,
		`{"result":[{"results":{"columns":["name"],"rows":[["apple"],["pear"]]},"success":true,"meta":…}],"success":true,"errors":[],"messages":[]}`,
	},
	{
		"without a content type",
		`$API/d1/database/$ID/raw -d '{"sql":"SELECT 1"}'`,
		`{"result":[{"results":{"columns":["1"],"rows":[[1]]},"success":true,"meta":…}],"success":true,"errors":[],"messages":[]}`,
	},
	{
		"an error",
		`$API/d1/database/$ID/query --json '{"sql":"SELECT * FROM vegetable"}'`,
		`{"result":null,"success":false,"errors":[{"code":7500,"message":"no such table: vegetable: SQLITE_ERROR"}],"messages":[]}`,
	},
	{
		"list",
		`$API/d1/database`,
		`{"result":[{"uuid":"$ID","name":"shop","created_at":"…","version":"production","jurisdiction":null}],` +
			`"result_info":{"count":1,"page":1,"per_page":1000,"total_count":1},"success":true,"errors":[],"messages":[]}`,
	},
	{
		"delete",
		`-X DELETE $API/d1/database/$ID`,
		`{"result":null,"success":true,"errors":[],"messages":[]}`,
	},
}

func TestCurl(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("curl")
	need(t, err == nil, "curl is missing")
	c := serveFiles(t).client(t)
	id := ""
	for _, example := range curlExamples {
		line := `curl -sS -H "Authorization: Bearer $TOKEN" ` + example.args
		c.extra = []string{"API=" + c.base + "/accounts/" + account, "TOKEN=" + token, "ID=" + id}
		got := c.run(t, "sh", "-c", line).ok(t)
		if id == "" {
			var answer struct{ Result struct{ UUID string } }
			if err := json.Unmarshal([]byte(got), &answer); err != nil {
				t.Fatalf("%v in %s", err, got)
			}
			id = answer.Result.UUID
		}
		if !pattern(strings.ReplaceAll(example.answer, "$ID", id)).MatchString(got) {
			t.Errorf("%s: %s\ngot  %s\nwant %s", example.name, line, got, example.answer)
		}
	}
}

// pattern returns an expression for an answer in which … stands for a text, a number
// or an object.
func pattern(answer string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(answer)
	quoted = strings.ReplaceAll(quoted, `:…`, `:(?:\d+|\{(?:[^{}]|\{[^{}]*\})*\})`)
	return regexp.MustCompile("^" + strings.ReplaceAll(quoted, "…", `[^"]+`) + `\s*$`)
}
