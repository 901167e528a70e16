package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A measured table has so many rows; a request reads one of them by its key.
const (
	benchRows        = 10_000
	benchConnections = 16
)

var benchSetup = []string{
	"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL)",
	fmt.Sprintf(`INSERT INTO users WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT i, 'user ' || i, 'user' || i || '@example.com' FROM n`, benchRows),
}

// BenchmarkPointReads measures requests that read one row by its key over 16
// connections: ours over HTTP, and beside it workerd's D1 as miniflare runs it. Both
// share the machine with the client; compare the req/s of one run.
func BenchmarkPointReads(b *testing.B) {
	b.Run("skylite", func(b *testing.B) {
		f := serveFiles(b)
		url := f.base + "/accounts/" + account + "/d1/database/" + f.create(b, "bench") + "/query"
		measure(b, url)
	})
	b.Run("workerd", func(b *testing.B) {
		needNPM(b)
		measure(b, startOracle(b)+"/query")
	})
}

func measure(b *testing.B, url string) {
	for _, sql := range benchSetup {
		if _, err := post(url, encode(b, map[string]string{"sql": sql})); err != nil {
			b.Fatal(err)
		}
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for range benchConnections {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				id := rand.IntN(benchRows) + 1
				answer, err := post(url, fmt.Sprintf(`{"sql":"SELECT * FROM users WHERE id = ?","params":[%d]}`, id))
				if err != nil || !strings.Contains(answer, fmt.Sprintf(`user%d@`, id)) {
					b.Errorf("%s, %v", answer, err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// post sends a query, and returns the answer if it is a success.
func post(url, body string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := apiClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return string(answer), err
}

// startOracle starts workerd and returns the URL it listens on. It ends when its
// standard input does.
func startOracle(b testing.TB) string {
	b.Helper()
	cmd := exec.Command(localPath(b, "node_modules/.bin/node"), localPath(b, "oracle/oracle.mjs"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	var ready struct{ URL string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		b.Fatalf("the oracle: %v: %q", err, line)
	}
	return ready.URL
}
