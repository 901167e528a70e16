package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cloudflare"
)

type insightsCommand struct {
	*app
	place                         placeFlags
	period, kind, sort, direction string
	limit                         int
	json                          bool
}

func (a *app) d1Insights() *cobra.Command {
	c := &insightsCommand{app: a}
	cmd := a.action(&cobra.Command{
		Use:   "insights <name> [flags]",
		Short: "List the queries that took most, by Cloudflare's analytics",
		Long: `List the queries of a database that took most time, or read or wrote most rows, by
Cloudflare's analytics. There are none of local databases.`,
		Example:           `  skylite d1 insights app --remote --time-period 7d --sort-by reads`,
		ValidArgsFunction: a.completeDatabase(&c.place),
	}, []string{"name"}, c.run)
	c.place.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.period, "time-period", "1d", "how far back: `days, hours or minutes`, such as 7d, 12h or 30m")
	flags.StringVar(&c.kind, "sort-type", "sum", "sort by the `sum` of all runs, or their avg")
	flags.StringVar(&c.sort, "sort-by", "time", "sort by `time`, reads, writes or count")
	flags.StringVar(&c.direction, "sort-direction", "DESC", "`DESC` or ASC")
	flags.IntVar(&c.limit, "limit", 5, "how many queries")
	flags.BoolVar(&c.json, "json", false, "print JSON on a terminal too")
	return cmd
}

// columnsOfSort are the fields of the analytics by wrangler's words for them.
var columnsOfSort = map[string]string{"time": "queryDurationMs", "reads": "rowsRead", "writes": "rowsWritten", "count": "count"}

// maxPeriod is how far back the analytics go.
const maxPeriod = 31 * 24 * time.Hour

func parsePeriod(text string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute} {
		digits, ok := strings.CutSuffix(text, unit)
		n, err := strconv.Atoi(digits)
		if ok && err == nil && n > 0 && n <= int(maxPeriod/length) {
			return time.Duration(n) * length, nil
		}
	}
	return 0, usage(nil, "--time-period is %q; it must be such as 7d, 12h or 30m, and at most 31d", text)
}

func (c *insightsCommand) run(ctx context.Context, args []string) (err error) {
	period, err := parsePeriod(c.period)
	if err != nil {
		return err
	}
	for _, err := range []error{oneOf("sort-type", c.kind, []string{"sum", "avg"}), oneOf("sort-direction", c.direction, []string{"ASC", "DESC"}),
		oneOf("sort-by", c.sort, []string{"time", "reads", "writes", "count"})} {
		if err != nil {
			return err
		}
	}
	if c.limit < 1 || c.limit > 10_000 {
		return usage(nil, "--limit is %d; it must be from 1 to 10000", c.limit)
	}
	if !c.place.remote {
		return withHint(errors.New("there are no analytics of local databases"),
			"give --remote for Cloudflare's; for the cost of one query, see the meta that 'skylite d1 execute --json' prints")
	}
	p, err := c.open(&c.place, false)
	if err != nil {
		return err
	}
	defer closing(p, &err)
	db, err := p.find(ctx, args[0])
	if err != nil {
		return err
	}
	insights, err := c.ask(ctx, p, db.UUID, period)
	if err != nil {
		return err
	}
	if c.json || !c.out.terminal {
		return c.out.json(insights)
	}
	var rows [][]string
	for _, i := range insights {
		rows = append(rows, []string{strings.Join(strings.Fields(i.Query), " "), strconv.FormatInt(i.Runs, 10),
			fmt.Sprintf("%.4g", i.TotalDuration), fmt.Sprintf("%.4g", i.AvgDuration), fmt.Sprintf("%.0f", i.TotalRead), fmt.Sprintf("%.0f", i.TotalWritten)})
	}
	return c.printTable([]string{"query", "runs", "ms", "ms each", "rows read", "rows written"}, rows)
}

// insight is what the analytics say of a query, with wrangler's keys.
type insight struct {
	Query         string  `json:"query"`
	AvgRead       float64 `json:"avgRowsRead"`
	TotalRead     float64 `json:"totalRowsRead"`
	AvgWritten    float64 `json:"avgRowsWritten"`
	TotalWritten  float64 `json:"totalRowsWritten"`
	AvgDuration   float64 `json:"avgDurationMs"`
	TotalDuration float64 `json:"totalDurationMs"`
	Runs          int64   `json:"numberOfTimesRun"`
	Efficiency    float64 `json:"queryEfficiency"`
}

// figures are the sums or the averages of a query.
type figures struct {
	Duration float64 `json:"queryDurationMs"`
	Read     float64 `json:"rowsRead"`
	Written  float64 `json:"rowsWritten"`
	Returned float64 `json:"rowsReturned"`
}

const insightsQuery = `query getD1QueriesOverviewQuery($accountTag: string, $filter: ZoneWorkersRequestsFilter_InputObject) {
	viewer { accounts(filter: {accountTag: $accountTag}) {
		d1QueriesAdaptiveGroups(limit: %d, filter: $filter, orderBy: [%s]) {
			sum { queryDurationMs rowsRead rowsWritten rowsReturned }
			avg { queryDurationMs rowsRead rowsWritten rowsReturned }
			count
			dimensions { query databaseId }
		}
	} }
}`

// ask asks Cloudflare's GraphQL, whose answers have an envelope of their own.
func (c *insightsCommand) ask(ctx context.Context, p *place, id string, period time.Duration) ([]insight, error) {
	order := columnsOfSort[c.sort] + "_" + c.direction
	if c.sort != "count" {
		order = c.kind + "_" + order
	}
	now := time.Now()
	call := cloudflare.Call{Method: http.MethodPost, Path: "/graphql", Class: cloudflare.ClassRead, Body: map[string]any{
		"query": fmt.Sprintf(insightsQuery, c.limit, order), "operationName": "getD1QueriesOverviewQuery",
		"variables": map[string]any{"accountTag": p.account, "filter": map[string]any{"AND": []any{map[string]any{
			"datetimeHour_geq": jsonTime(now.Add(-period)), "datetimeHour_leq": jsonTime(now), "databaseId": id}}}},
	}}
	resp, err := p.client.Stream(ctx, call)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Viewer struct {
				Accounts []struct {
					Groups []struct {
						Sum, Avg   figures
						Count      int64
						Dimensions struct{ Query string }
					} `json:"d1QueriesAdaptiveGroups"`
				}
			}
		}
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(&answer); err != nil {
		return nil, p.client.BodyError(call, err)
	}
	if len(answer.Errors) > 0 {
		return nil, withHint(fmt.Errorf("the analytics answered: %s", answer.Errors[0].Message),
			"the token may lack the permission Account Analytics Read")
	}
	all := []insight{}
	for _, account := range answer.Data.Viewer.Accounts {
		for _, g := range account.Groups {
			if g.Dimensions.Query == "" {
				continue
			}
			i := insight{Query: g.Dimensions.Query, AvgRead: g.Avg.Read, TotalRead: g.Sum.Read, AvgWritten: g.Avg.Written,
				TotalWritten: g.Sum.Written, AvgDuration: g.Avg.Duration, TotalDuration: g.Sum.Duration, Runs: g.Count}
			if g.Avg.Read > 0 {
				i.Efficiency = g.Avg.Returned / g.Avg.Read
			}
			all = append(all, i)
		}
	}
	return all, nil
}
