package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestEndUnderLoad ends a server while clients write to it, and looks at what a new
// one finds in its folder: every write that was acknowledged, and of each all or
// nothing.
func TestEndUnderLoad(t *testing.T) {
	t.Parallel()
	binary := build(t)
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := devOf(t, binary, "--data", dir)
		l := startLoad(t, s)
		if err := s.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		l.stop()
		<-s.rest
		_ = s.Wait()
		l.check(t, devOf(t, binary, "--data", dir), false)
	})
	t.Run("ended", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := devOf(t, binary, "--data", dir)
		l := startLoad(t, s)
		if err := s.stop(syscall.SIGTERM); err != nil {
			t.Errorf("%v\n%s", err, s.Stderr)
		}
		l.stop()
		// Those under way were answered, so nothing is there that nobody knows of.
		l.check(t, devOf(t, binary, "--data", dir), true)
	})
}

// load is clients that write, each on a connection of its own, until their server is
// gone. Half of them write rows, the others make and delete databases.
type load struct {
	t      *testing.T
	wg     sync.WaitGroup
	client http.Client
	id     string // of the database that is written to

	mu      sync.Mutex
	rows    map[string]bool   // the writes that were acknowledged
	names   map[string]string // the databases that there must be, to their IDs
	deleted map[string]bool   // those that there must not be
}

func startLoad(t *testing.T, s *devServer) *load {
	t.Helper()
	l := &load{t: t, rows: map[string]bool{}, names: map[string]string{}, deleted: map[string]bool{}}
	l.client.Transport = &http.Transport{MaxIdleConnsPerHost: 10}
	l.id = l.mustID(s, "rows")
	if err := l.call(s, "POST", "/"+l.id+"/query", `{"sql":"CREATE TABLE t (write TEXT, half INTEGER)"}`, nil); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		l.wg.Go(func() { l.write(s, n) })
	}
	for n := range 2 {
		l.wg.Go(func() { l.manage(s, n) })
	}
	for end := time.Now().Add(time.Minute); !l.going(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("there is hardly any load")
		}
	}
	time.Sleep(100 * time.Millisecond)
	return l
}

func (l *load) going() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.rows) >= 20 && len(l.names) > 0 && len(l.deleted) > 0
}

func (l *load) stop() {
	l.wg.Wait()
	l.client.CloseIdleConnections()
}

func (l *load) mustID(s *devServer, name string) string {
	l.t.Helper()
	var db struct{ UUID string }
	if err := l.call(s, "POST", "", `{"name":"`+name+`"}`, &db); err != nil {
		l.t.Fatal(err)
	}
	return db.UUID
}

// call makes an API call. An error is one of the connection; an answer that is no
// success fails the test.
func (l *load) call(s *devServer, method, path, body string, result any) error {
	req, err := http.NewRequest(method, s.exports["CLOUDFLARE_API_BASE_URL"]+"/accounts/a/d1/database"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != 200 {
		l.t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, data)
		return errors.New("no success")
	}
	return json.Unmarshal(data, &struct{ Result any }{result})
}

// write writes rows in pairs: a pair is one transaction.
func (l *load) write(s *devServer, n int) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("%d-%d", n, i)
		body := fmt.Sprintf(`{"batch":[{"sql":"INSERT INTO t VALUES (?, 1)","params":[%q]},{"sql":"INSERT INTO t VALUES (?, 2)","params":[%[1]q]}]}`, name)
		if err := l.call(s, "POST", "/"+l.id+"/query", body, nil); err != nil {
			return
		}
		l.mu.Lock()
		l.rows[name] = true
		l.mu.Unlock()
	}
}

// manage makes databases, and deletes every second one.
func (l *load) manage(s *devServer, n int) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("db-%d-%d", n, i)
		var db struct{ UUID string }
		if err := l.call(s, "POST", "", `{"name":"`+name+`"}`, &db); err != nil {
			return
		}
		l.mu.Lock()
		if i%2 == 0 {
			l.names[name] = db.UUID
		}
		l.mu.Unlock()
		if i%2 == 0 {
			continue
		}
		if err := l.call(s, "DELETE", "/"+db.UUID, "", nil); err != nil {
			return
		}
		l.mu.Lock()
		l.deleted[name] = true
		l.mu.Unlock()
	}
}

// check looks at what is left. exactly says that nothing else may be there.
func (l *load) check(t *testing.T, s *devServer, exactly bool) {
	t.Helper()
	l.t = t
	type row struct {
		Write        string
		Count, Total int
	}
	var answer []struct{ Results []row }
	if err := l.call(s, "POST", "/"+l.id+"/query", `{"sql":"SELECT write, count(*) count, total(half) total FROM t GROUP BY write"}`, &answer); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, r := range answer[0].Results {
		if found[r.Write] = true; r.Count != 2 || r.Total != 3 {
			t.Errorf("half a write: %+v", r)
		}
	}
	for name := range l.rows {
		if !found[name] {
			t.Errorf("the write %s was acknowledged and is lost", name)
		}
	}
	if exactly && len(found) != len(l.rows) {
		t.Errorf("%d writes were acknowledged, and there are %d", len(l.rows), len(found))
	}
	l.checkDatabases(t, s)
}

func (l *load) checkDatabases(t *testing.T, s *devServer) {
	t.Helper()
	var listed []struct{ UUID, Name string }
	if err := l.call(s, "GET", "", "", &listed); err != nil {
		t.Fatal(err)
	}
	there := map[string]string{}
	for _, db := range listed {
		there[db.Name] = db.UUID
		if l.deleted[db.Name] {
			t.Errorf("the database %s was deleted and is there", db.Name)
		}
		// Every name has its file.
		if err := l.call(s, "POST", "/"+db.UUID+"/query", `{"sql":"SELECT 1"}`, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, id := range l.names {
		if there[name] != id {
			t.Errorf("the database %s was made and is lost", name)
		}
	}
}
