package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

var writeFidelity = flag.Bool("fidelity", false, "write docs/fidelity.md anew, after a run of all cases")

// metaKeys are the recorded parts of meta, in their order.
var metaKeys = []string{"changes", "last_row_id", "changed_db", "size_after", "rows_read", "rows_written"}

// tally counts how often answers agree with workerd's, by the corpus's files.
type tally struct {
	mu     sync.Mutex
	topics map[string]*topic
}

// topic is what came of the cases of one file.
type topic struct {
	cases, requests, statements int
	results, errors             share
	meta                        [6]share
	gaps                        [6][]float64 // how far off the values are that differ
}

type share struct{ exact, all int }

func (s *share) add(exact bool) {
	s.all++
	if exact {
		s.exact++
	}
}

func (s share) String() string {
	switch {
	case s.all == 0:
		return "–"
	case s.exact == s.all:
		return "100 %"
	}
	return fmt.Sprintf("%.1f %%", math.Floor(1000*float64(s.exact)/float64(s.all))/10)
}

// on runs something on the topic of a file.
func (c *tally) on(file string, count func(*topic)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.topics == nil {
		c.topics = make(map[string]*topic)
	}
	if c.topics[file] == nil {
		c.topics[file] = new(topic)
	}
	count(c.topics[file])
}

func (c *tally) request(file string, failed, agrees bool) {
	c.on(file, func(t *topic) {
		t.requests++
		if failed {
			t.errors.add(agrees)
		} else {
			t.results.add(agrees)
		}
	})
}

// diffMeta counts each part of a statement's meta, and returns the first of those that
// must agree and do not.
func (c *tally) diffMeta(file string, got, want []any) (diff string) {
	c.on(file, func(t *topic) {
		t.statements++
		for i, key := range metaKeys {
			exact := got[i] == want[i]
			t.meta[i].add(exact)
			if exact {
				continue
			}
			if i < 4 {
				diff = cmp.Or(diff, fmt.Sprintf("meta.%s %v, workerd %v", key, got[i], want[i]))
				continue
			}
			t.gaps[i] = append(t.gaps[i], math.Abs(got[i].(float64)-want[i].(float64)))
		}
	})
	return diff
}

// total is all topics together.
func (c *tally) total() (all topic) {
	for _, t := range c.topics {
		all.add(t)
	}
	return all
}

func (s *share) join(other share) { s.exact, s.all = s.exact+other.exact, s.all+other.all }

func (t *topic) add(other *topic) {
	t.cases += other.cases
	t.requests += other.requests
	t.statements += other.statements
	t.results.join(other.results)
	t.errors.join(other.errors)
	for i := range t.meta {
		t.meta[i].join(other.meta[i])
		t.gaps[i] = append(t.gaps[i], other.gaps[i]...)
	}
}

func (c *tally) log(t *testing.T) {
	all := c.total()
	for i, key := range metaKeys {
		t.Logf("%s: %d of %d statements exact", key, all.meta[i].exact, all.meta[i].all)
	}
}

// checkFidelity holds docs/fidelity.md to what the server's run has counted.
func (c *tally) checkFidelity(t *testing.T) {
	if t.Failed() || partial() {
		return
	}
	const file = "../docs/fidelity.md"
	report := c.report(t)
	if *writeFidelity {
		if err := os.WriteFile(file, report, 0o644); err != nil {
			t.Error(err)
		}
		return
	}
	if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, report) {
		t.Errorf("docs/fidelity.md is not what this run has counted (%v); write it anew: go test -run ServerAgrees . -fidelity", err)
	}
}

func (c *tally) report(t *testing.T) []byte {
	var b bytes.Buffer
	all := c.total()
	fmt.Fprintf(&b, fidelityHead, all.cases, workerdVersion(t), all.requests/2, all.requests, all.statements)
	fmt.Fprintf(&b, "| results | %d of %d | %v |\n", all.results.exact, all.results.all, all.results)
	fmt.Fprintf(&b, "| errors, to the text | %d of %d | %v |\n", all.errors.exact, all.errors.all, all.errors)
	for i, key := range metaKeys {
		fmt.Fprintf(&b, "| `meta.%s` | %d of %d | %v |\n", key, all.meta[i].exact, all.meta[i].all, all.meta[i])
	}
	b.WriteString("\n`rows_read` and `rows_written` are estimates: stock SQLite does not count what D1 bills.\n\n")
	b.WriteString("| where they differ | statements | by a median of | nine in ten by at most | by at most |\n|---|---|---|---|---|\n")
	for i := 4; i < 6; i++ {
		gaps := slices.Sorted(slices.Values(all.gaps[i]))
		if n := len(gaps); n > 0 {
			fmt.Fprintf(&b, "| `%s` | %d | %v | %v | %v |\n", metaKeys[i], n, gaps[n/2], gaps[n*9/10], gaps[n-1])
		}
	}
	b.WriteString("\n## By topic\n\n| topic | cases | requests | results | errors | changes | last_row_id | changed_db | size_after | rows_read | rows_written |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(c.topics)) {
		topic := c.topics[name]
		fmt.Fprintf(&b, "| %s | %d | %d | %v | %v |", name, topic.cases, topic.requests/2, topic.results, topic.errors)
		for _, s := range topic.meta {
			fmt.Fprintf(&b, " %v |", s)
		}
		b.WriteString("\n")
	}
	writeExceptions(&b)
	return b.Bytes()
}

const fidelityHead = `# Fidelity

This page is written by ` + "`go test -run ServerAgrees . -fidelity` in `e2e`" + `, and a test fails when it is stale.

%d cases with the answers of workerd %s, Cloudflare's own engine, run on ` + "`skylite dev`'s server" + `: %d requests,
each over ` + "`/raw` and `/query`" + `, %d in all, whose answers hold the results of %d statements. Results are compared to the
byte of the JSON, errors to the text. The same cases run on the embedded database. Requests behind a fault of workerd's
own are left out.

| what | agrees | share |
|---|---|---|
`

// writeExceptions lists the known differences by their reasons.
func writeExceptions(b *bytes.Buffer) {
	where := map[string][]string{}
	for _, reasons := range []map[string]string{engineDifferences, serverDifferences} {
		for name, why := range reasons {
			where[why] = append(where[why], name)
		}
	}
	b.WriteString("\n## Exceptions\n\nA request that is named here may differ, and a test fails where it does so no more.\n\n| why | where |\n|---|---|\n")
	for _, why := range slices.Sorted(maps.Keys(where)) {
		slices.Sort(where[why])
		fmt.Fprintf(b, "| %s | `%s` |\n", why, strings.ReplaceAll(strings.Join(where[why], "`, `"), "|", "\\|"))
	}
}

func workerdVersion(t *testing.T) string {
	var recorded struct{ Workerd string }
	data, err := os.ReadFile("corpus/recorded/values.json")
	if err == nil {
		err = json.Unmarshal(data, &recorded)
	}
	if err != nil {
		t.Error(err)
	}
	return recorded.Workerd
}
