package server

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// analyticsQuery is a question about D1, in GraphQL. It is not parsed: what wrangler asks
// is recognised by its fields, and anything else finds nothing recorded.
type analyticsQuery struct {
	Query     string `json:"query"`
	Variables struct {
		Filter analyticsFilter `json:"filter"`
	} `json:"variables"`
}

// analyticsFilter is a filter: conditions, all of which must hold.
type analyticsFilter struct {
	And      []analyticsFilter `json:"AND"`
	From     string            `json:"datetimeHour_geq"`
	To       string            `json:"datetimeHour_leq"`
	Database string            `json:"databaseId"`
}

// allows reports whether figures are among those that the filter wants.
func (f analyticsFilter) allows(key figuresKey) bool {
	if f.Database != "" && !strings.EqualFold(f.Database, key.database) {
		return false
	}
	// An hour counts if any of it is in the time that is asked for.
	if from, err := time.Parse(time.RFC3339, f.From); err == nil && key.hour < from.Truncate(time.Hour).Unix() {
		return false
	}
	if to, err := time.Parse(time.RFC3339, f.To); err == nil && key.hour > to.Unix() {
		return false
	}
	for _, part := range f.And {
		if !part.allows(key) {
			return false
		}
	}
	return true
}

// graphql answers what `wrangler d1 info` and `d1 insights` ask of the analytics.
func (s *Server) graphql(c *call) *apiError {
	body, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	var query analyticsQuery
	if err := json.Unmarshal(body, &query); err != nil {
		return malformed("the body is not a GraphQL request in JSON")
	}
	var account struct {
		Analytics []any `json:"d1AnalyticsAdaptiveGroups"`
		Queries   []any `json:"d1QueriesAdaptiveGroups"`
		Storage   []any `json:"d1StorageAdaptiveGroups"`
	}
	account.Analytics, account.Queries, account.Storage = []any{}, []any{}, []any{}
	filter := query.Variables.Filter
	if _, ok := argumentsOf(query.Query, "d1AnalyticsAdaptiveGroups"); ok {
		account.Analytics = s.perHour(filter)
	}
	if arguments, ok := argumentsOf(query.Query, "d1QueriesAdaptiveGroups"); ok {
		account.Queries = s.perQuery(filter, arguments)
	}
	answer := appendJSON([]byte(`{"data":{"viewer":{"accounts":[`), account)
	writeBody(c.w, 200, append(answer, `]}},"errors":null}`...))
	return nil
}

// argumentsOf returns what is in the parentheses behind a field.
func argumentsOf(query, field string) (arguments string, ok bool) {
	_, rest, ok := strings.Cut(query, field)
	if rest = strings.TrimSpace(rest); ok && strings.HasPrefix(rest, "(") {
		arguments, _, _ = strings.Cut(rest[1:], ")")
	}
	return arguments, ok
}

var (
	limitForm = regexp.MustCompile(`\blimit\s*:\s*(\d+)`)
	orderForm = regexp.MustCompile(`\borderBy\s*:\s*\[?\s*(sum|avg|count)(?:_(\w+?))?_(ASC|DESC)\b`)
)

// perHour returns the figures of databases, hour by hour.
func (s *Server) perHour(filter analyticsFilter) []any {
	sums := s.insights.sums(func(key figuresKey) bool { return key.query == "" && filter.allows(key) },
		func(key figuresKey) figuresKey { return key })
	groups := []any{}
	for _, f := range sums {
		groups = append(groups, map[string]any{
			"sum": map[string]any{
				"readQueries": f.reads, "writeQueries": f.writes, "rowsRead": f.rowsRead, "rowsWritten": f.rowsWritten,
				"queryBatchResponseBytes": 0,
			},
			"dimensions": map[string]any{
				"datetimeHour": time.Unix(f.key.hour, 0).UTC().Format(time.RFC3339), "databaseId": f.key.database,
			},
		})
	}
	return groups
}

// perQuery returns the figures of queries, in the order that the arguments want.
func (s *Server) perQuery(filter analyticsFilter, arguments string) []any {
	sums := s.insights.sums(func(key figuresKey) bool { return key.query != "" && filter.allows(key) },
		func(key figuresKey) figuresKey { return figuresKey{key.database, key.query, 0} })
	if order := orderForm.FindStringSubmatch(arguments); order != nil {
		slices.SortStableFunc(sums, func(a, b figures) int {
			n := cmp.Compare(a.measure(order[1], order[2]), b.measure(order[1], order[2]))
			if order[3] == "DESC" {
				return -n
			}
			return n
		})
	}
	limit := math.MaxInt
	if m := limitForm.FindStringSubmatch(arguments); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			limit = n
		}
	}
	groups := []any{}
	for _, f := range sums[:min(limit, len(sums))] {
		group := map[string]any{
			"count": f.count, "dimensions": map[string]any{"query": f.key.query, "databaseId": f.key.database},
		}
		for _, kind := range []string{"sum", "avg"} {
			values := map[string]any{}
			for _, field := range []string{"queryDurationMs", "rowsRead", "rowsWritten", "rowsReturned"} {
				values[field] = f.measure(kind, field)
			}
			group[kind] = values
		}
		groups = append(groups, group)
	}
	return groups
}

// measure returns one of the figures.
func (f figures) measure(kind, field string) float64 {
	n := float64(f.count)
	switch field {
	case "queryDurationMs":
		n = float64(f.duration) / float64(time.Millisecond)
	case "rowsRead":
		n = float64(f.rowsRead)
	case "rowsWritten":
		n = float64(f.rowsWritten)
	case "rowsReturned":
		n = float64(f.rowsGiven)
	}
	if kind == "avg" {
		n /= float64(max(f.count, 1))
	}
	return n
}
