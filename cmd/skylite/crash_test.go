package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skylite-go/skylite/internal/killtest"
)

// TestEndUnderLoad ends a server while clients write to it, and looks at what a new
// one finds in its folder: every write that was acknowledged, and of each all or
// nothing.
func TestEndUnderLoad(t *testing.T) {
	t.Parallel()
	binary := build(t)
	for round := range max(killtest.Rounds(10)/10, 1) {
		t.Run(fmt.Sprint("killed ", round), func(t *testing.T) {
			dir := t.TempDir()
			s := devOf(t, binary, "--data", dir)
			l := startLoad(t, s)
			if err := s.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			l.stop()
			<-s.rest
			_ = s.Wait()
			again := devOf(t, binary, "--data", dir)
			l.check(t, again, false)
			if err := again.stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		})
	}
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
// gone. They write rows, through the API and through the bridge's protocol, and keys of KV,
// and make and delete databases.
type load struct {
	t      *testing.T
	wg     sync.WaitGroup
	client http.Client
	id     string // of the database that is written to
	ns     string // the path of the namespace

	mu      sync.Mutex
	rows    map[string]bool   // the writes that were acknowledged
	bulks   map[int]int       // the last bulk put of each client that was
	names   map[string]string // the databases that there must be, to their IDs
	deleted map[string]bool   // those that there must not be
}

func startLoad(t *testing.T, s *devServer) *load {
	t.Helper()
	l := &load{t: t, rows: map[string]bool{}, bulks: map[int]int{}, names: map[string]string{}, deleted: map[string]bool{}}
	l.client.Transport = &http.Transport{MaxIdleConnsPerHost: 10}
	l.id = l.mustID(s, "rows")
	if err := l.call(s, "POST", "/"+l.id+"/query", `{"sql":"CREATE TABLE t (write TEXT, half INTEGER)"}`, nil); err != nil {
		t.Fatal(err)
	}
	var ns struct{ ID string }
	if err := l.call(s, "POST", kvBase, `{"title":"keys"}`, &ns); err != nil {
		t.Fatal(err)
	}
	l.ns = kvBase + "/" + ns.ID
	for n := range 4 {
		l.wg.Go(func() { l.write(s, n) })
	}
	for n := range 2 {
		l.wg.Go(func() { l.putKeys(s, n) })
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
	return len(l.rows) >= 20 && len(l.bulks) == 2 && len(l.names) > 0 && len(l.deleted) > 0
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
	if !strings.HasPrefix(path, kvBase) && !strings.HasPrefix(path, "/bridge/") {
		path = "/accounts/a/d1/database" + path
	}
	req, err := http.NewRequest(method, s.exports["CLOUDFLARE_API_BASE_URL"]+path, strings.NewReader(body))
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
	if result == nil {
		return nil
	}
	return json.Unmarshal(data, &struct{ Result any }{result})
}

const kvBase = "/accounts/a/storage/kv/namespaces"

// putKeys puts one number into many keys at once, and then the next.
func (l *load) putKeys(s *devServer, n int) {
	for i := 1; ; i++ {
		var pairs []string
		for k := range bulkKeys {
			pairs = append(pairs, fmt.Sprintf(`{"key":"%d/%d","value":"%d"}`, n, k, i))
		}
		if err := l.call(s, "PUT", l.ns+"/bulk", "["+strings.Join(pairs, ",")+"]", nil); err != nil {
			return
		}
		l.mu.Lock()
		l.bulks[n] = i
		l.mu.Unlock()
	}
}

const bulkKeys = 20

// checkKeys looks at what is left of putKeys.
func (l *load) checkKeys(t *testing.T, s *devServer) {
	t.Helper()
	for n, last := range l.bulks {
		var keys []string
		for k := range bulkKeys {
			keys = append(keys, fmt.Sprintf(`"%d/%d"`, n, k))
		}
		var got struct{ Values map[string]string }
		if err := l.call(s, "POST", l.ns+"/bulk/get", `{"keys":[`+strings.Join(keys, ",")+"]}", &got); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, value := range got.Values {
			seen[value] = true
		}
		if len(seen) != 1 || !seen[fmt.Sprint(last)] && !seen[fmt.Sprint(last+1)] || len(got.Values) != bulkKeys {
			t.Errorf("bulk put %d of client %d was acknowledged, and there are %v", last, n, seen)
		}
	}
}

// write writes rows in pairs: a pair is one transaction. Every second client does so over the
// bridge's protocol.
func (l *load) write(s *devServer, n int) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("%d-%d", n, i)
		body := fmt.Sprintf(`[{"sql":"INSERT INTO t VALUES (?, 1)","params":[%q]},{"sql":"INSERT INTO t VALUES (?, 2)","params":[%[1]q]}]`, name)
		path := "/bridge/" + l.id
		if n%2 == 0 {
			path, body = "/"+l.id+"/query", `{"batch":`+body+`}`
		}
		if err := l.call(s, "POST", path, body, nil); err != nil {
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
	l.checkKeys(t, s)
	l.checkDatabases(t, s)
}

// TestModes looks at the files that are made where the umask keeps nobody out.
func TestModes(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	script := filepath.Join(outer, "dev.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\numask 0\nexec "+build(t)+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(outer, "new", "data")
	s := devOf(t, script, "--data", dir)
	l := startLoad(t, s)
	files := 0
	_ = filepath.WalkDir(filepath.Dir(dir), func(path string, entry os.DirEntry, err error) error {
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil {
			return nil // it is deleted already
		}
		want := map[bool]os.FileMode{true: 0o700, false: 0o600}[entry.IsDir()]
		if files++; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if files < 10 {
		t.Errorf("there are %d files", files)
	}
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	l.stop()
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
