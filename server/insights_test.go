package server_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/server"
)

type analytics struct {
	Data struct {
		Viewer struct {
			Accounts []struct {
				Hours []struct {
					Sum        struct{ ReadQueries, WriteQueries, RowsRead, RowsWritten int }
					Dimensions struct{ DatetimeHour string }
				} `json:"d1AnalyticsAdaptiveGroups"`
				Queries []struct {
					Sum, Avg   map[string]float64
					Count      int
					Dimensions struct{ Query, DatabaseID string }
				} `json:"d1QueriesAdaptiveGroups"`
			}
		}
	}
}

func TestInsights(t *testing.T) {
	t.Parallel()
	at := &clock{time.Date(2026, 10, 5, 4, 12, 9, 0, time.UTC)}
	a := start(t, server.Config{Now: at.Now})
	id, other := a.create("app"), a.create("other")
	a.mustSQL(id, "CREATE TABLE t (x)")
	a.mustSQL(id, "INSERT INTO t VALUES (1), (2), (3)")
	for range 3 {
		a.mustSQL(id, "SELECT * FROM t")
	}
	a.sql(id, "SELECT * FROM nope")
	a.mustSQL(other, "SELECT 1")
	at.now = at.now.Add(48 * time.Hour)
	a.mustSQL(id, "SELECT * FROM t")

	ask := func(fields, filter string) analytics {
		t.Helper()
		body, err := json.Marshal(map[string]any{"query": "query q { viewer { accounts { " + fields + " { count } } } }",
			"variables": map[string]any{"filter": json.RawMessage(filter)}})
		if err != nil {
			t.Fatal(err)
		}
		status, answer := a.do("POST", "/client/v4/graphql", string(body))
		var got analytics
		if err := json.Unmarshal([]byte(answer), &got); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
		return got
	}
	const days = `"datetimeHour_geq":"2026-10-04T05:00:00.000Z","datetimeHour_leq":"2026-10-05T05:00:00.000Z"`
	filter := `{"AND":[{` + days + `,"databaseId":"` + id + `"}]}`
	queries := func(arguments, filter string) (texts []string) {
		for _, q := range ask("d1QueriesAdaptiveGroups("+arguments+")", filter).Data.Viewer.Accounts[0].Queries {
			texts = append(texts, q.Dimensions.Query)
		}
		return texts
	}
	read, write := "SELECT * FROM t", "INSERT INTO t VALUES (1), (2), (3)"
	if diff := cmp.Diff([]string{read}, queries("limit: 1, filter: $filter, orderBy: [count_DESC]", filter)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{write, "CREATE TABLE t (x)"}, queries("limit: 2, orderBy: [sum_rowsWritten_DESC]", filter)); diff != "" {
		t.Error(diff)
	}
	if got := queries("limit: 1, orderBy: [avg_rowsReturned_ASC]", `{`+days+`}`); len(got) != 1 || got[0] == read {
		t.Errorf("rows returned, rising: %v", got)
	}
	if got := queries("limit: 10", `{}`); len(got) != 4 {
		t.Errorf("all there is: %v", got)
	}
	q := ask("d1QueriesAdaptiveGroups(limit: 1, orderBy: [count_DESC])", filter).Data.Viewer.Accounts[0].Queries[0]
	if q.Count != 3 || q.Sum["rowsRead"] != 9 || q.Avg["rowsRead"] != 3 || q.Sum["rowsReturned"] != 9 || q.Sum["queryDurationMs"] <= 0 || q.Dimensions.DatabaseID != id {
		t.Errorf("%+v", q)
	}
	hours := ask("d1AnalyticsAdaptiveGroups(limit: 10000, filter: $filter)", filter).Data.Viewer.Accounts[0].Hours
	if len(hours) != 1 || hours[0].Sum.ReadQueries != 3 || hours[0].Sum.WriteQueries != 2 || hours[0].Sum.RowsRead < 9 ||
		hours[0].Dimensions.DatetimeHour != "2026-10-05T04:00:00Z" {
		t.Errorf("%+v", hours)
	}
	if status, _ := a.do("POST", "/client/v4/graphql", "{"); status != 400 {
		t.Errorf("no JSON: %d", status)
	}
}
