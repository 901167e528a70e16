package server_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/skylite-go/skylite/server"
)

// lockedLog is a log that many write to.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestNoSecretIsLogged sends secrets in every place that has one, in requests that succeed
// and in requests that fail, and looks for them in all that is logged, and for the tokens in
// what is answered.
func TestNoSecretIsLogged(t *testing.T) {
	t.Parallel()
	var log lockedLog
	const token = "t0ken-s3cret"
	a, stop := serve(t, server.Config{
		DataDir: t.TempDir(), Token: token,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	auth := "Authorization: Bearer " + token
	answers := ""
	do := func(method, path, body string, headers ...string) string {
		if headers == nil {
			headers = []string{auth}
		}
		_, answer := a.do(method, path, body, headers...)
		answers += answer
		return answer
	}
	id := anyUUID.FindString(do("POST", databases, `{"name":"db"}`))
	query := databases + "/" + id + "/query"
	for _, body := range []string{
		`{"sql":"CREATE TABLE t (x UNIQUE)"}`, `{"sql":"INSERT INTO t VALUES ('s3cret-in-sql')"}`, `{"sql":"INSERT INTO t VALUES ('s3cret-in-sql')"}`,
		`{"sql":"SELECT json_extract('{}', 's3cret-path')"}`, `{"sql":"SELECT ? FROM nowhere","params":["s3cret-param"]}`,
		`{"sql":"SELEC 's3cret-syntax'"}`, `{"sql":"SELECT 's3cret-json`, `{"s3cret-key":1}`, `{"sql":"ATTACH 's3cret-file' AS x"}`,
		`{"sql":"SELECT json(x) FROM (SELECT '1' x UNION ALL SELECT printf('%.*c', 500000, 's') || 's3cret-late')"}`,
	} {
		do("POST", query, body)
		do("POST", "/client/v4/bridge/db?bookmark=s3cret-bookmark", "["+body+"]")
	}
	do("POST", query+"?token=s3cret-query", `{"sql":"SELECT 1"}`)
	kvPath := "/client/v4/accounts/" + account + "/storage/kv/namespaces"
	ns := kvPath + "/" + hexID.FindString(do("POST", kvPath, `{"title":"ns"}`))
	for _, path := range []string{"/values/s3cret-name", "/metadata/s3cret-name", "/values/s3cret%2Fname"} {
		do("PUT", ns+path, "s3cret-value")
		req, _ := http.NewRequest("GET", a.url+ns+path, nil) // answers no JSON
		req.Header.Set("Authorization", "Bearer "+token)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}
	do("PUT", ns+"/bulk", `[{"key":"s3cret-bulk","value":"s3cret-bulk-value"},{"key":""}]`)
	upload := do("POST", databases+"/"+id+"/import", `{"action":"init","etag":"`+etagOf("SELECT 's3cret-import'")+`"}`)
	name := strings.Split(strings.Split(upload, `"filename":"`)[1], `"`)[0]
	do("PUT", databases+"/"+id+"/import/"+name, "SELECT 's3cret-import'", "X-Nothing: x")
	do("GET", databases, "", "Authorization: Bearer s3cret-wrong")
	do("GET", databases, "", "Authorization: s3cret-scheme")
	do("GET", databases, "", "X-Auth-Email: a@b.c", "X-Auth-Key: s3cret-api-key")
	do("GET", databases, "", auth, "Host: s3cret.evil.test", "Origin: http://evil.test")
	a.connect("GET /s3cret HTTP/9.9\r\n\r\n").Close()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "path=/client/v4/accounts") {
		t.Fatal("nothing was logged")
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "s3cret") || strings.Contains(line, name) {
			t.Errorf("logged: %s", line)
		}
	}
	for _, secret := range []string{token, "s3cret-wrong", "s3cret-scheme", "s3cret-api-key"} {
		if strings.Contains(answers, secret) {
			t.Errorf("%s was answered", secret)
		}
	}
}

// TestNamesAreNoPaths gives databases and namespaces names that lead elsewhere as paths, and
// asks for ids that do.
func TestNamesAreNoPaths(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	dir := filepath.Join(outer, "data")
	a, stop := serve(t, server.Config{DataDir: dir})
	names := []string{"..", "../evil", "../../evil", "/etc/passwd", "a/../../evil", `..\evil`, "catalog.sqlite", "evil.sqlite", "~", "%2e%2e", "C:evil"}
	for i, name := range names {
		id := a.create(strings.ReplaceAll(name, `\`, `\\`))
		a.mustSQL(id, fmt.Sprintf("CREATE TABLE t (x); INSERT INTO t VALUES (%d)", i))
	}
	kvPath := "/client/v4/accounts/" + account + "/storage/kv/namespaces"
	for _, name := range names {
		a.do("POST", kvPath, `{"title":"`+strings.ReplaceAll(name, `\`, `\\`)+`"}`)
	}
	for _, id := range []string{"..%2fcatalog", "..%2F..%2Fetc%2Fpasswd", ".", "%00", "a%00b", "%2fetc%2fshadow", "kv.sqlite",
		"..%5ccatalog", "%252e%252e%252f", "%c0%ae%c0%ae", strings.Repeat("..%2f", 500)} {
		for _, path := range []string{databases + "/" + id, databases + "/" + id + "/query", databases + "/" + id + "/import/x",
			kvPath + "/" + id, kvPath + "/" + id + "/keys", "/client/v4/bridge/" + id} {
			for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
				if status, answer := a.do(method, path, `{"sql":"SELECT 1"}`); status < 400 || status >= 500 {
					t.Errorf("%s %s: %d %s", method, path, status, answer)
				}
			}
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	found := 0
	_ = filepath.WalkDir(outer, func(path string, entry os.DirEntry, err error) error {
		info, statErr := entry.Info()
		if err != nil || statErr != nil {
			t.Fatal(err, statErr)
		}
		want := map[bool]os.FileMode{true: 0o700, false: 0o600}[entry.IsDir()]
		if path != outer && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		switch base := entry.Name(); {
		case path == outer, path == dir, path == filepath.Join(dir, "d1"), base == "catalog.sqlite", base == "kv.sqlite":
		case anyUUID.FindString(base)+".sqlite-history" == base, strings.HasSuffix(filepath.Dir(path), ".sqlite-history"):
		case anyUUID.FindString(base)+".sqlite" == base:
			found++
		default:
			t.Errorf("there is %s", path)
		}
		return nil
	})
	if found != len(names) {
		t.Errorf("%d files of %d databases", found, len(names))
	}
}

// TestLinks opens a database whose file is a link, and deletes it: the link goes, and not
// what it leads to.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	a, stop := serve(t, server.Config{DataDir: dir})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (x)")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	file, target := filepath.Join(dir, "d1", id+".sqlite"), filepath.Join(elsewhere, "real.sqlite")
	if err := os.Rename(file, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, file); err != nil {
		t.Skip(err)
	}
	b, _ := serve(t, server.Config{DataDir: dir})
	b.mustSQL(id, "INSERT INTO t VALUES (1)")
	if status, answer := b.do("DELETE", databases+"/"+id, ""); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
	if _, err := os.Lstat(file); err == nil {
		t.Error("the link is still there")
	}
	if _, err := os.Stat(target); err != nil {
		t.Error(err)
	}
}

// TestWarnsOfOthers opens a folder, and a file in it, that others can read.
func TestWarnsOfOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, stop := serve(t, server.Config{DataDir: dir})
	id := a.create("db")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "d1", id+".sqlite")
	for path, mode := range map[string]os.FileMode{dir: 0o755, file: 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	var log lockedLog
	b, _ := serve(t, server.Config{DataDir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	b.mustSQL(id, "SELECT 1")
	for _, want := range []string{"path=" + dir + " mode=-rwxr-xr-x", "path=" + file + " mode=-rw-r--r--"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no warning of %s in %s", want, &log)
		}
	}
}

// TestEncodedBodies sends what would be unpacked elsewhere.
func TestEncodedBodies(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	for _, coding := range []string{"gzip", "br", "deflate", "gzip, gzip", "x-nothing"} {
		status, answer := a.do("POST", databases+"/"+id+"/query", `{"sql":"SELECT 1"}`, "Authorization: Bearer x", "Content-Encoding: "+coding)
		if status != 415 || !strings.Contains(answer, "send the body as it is") {
			t.Errorf("%s: %d %s", coding, status, answer)
		}
	}
	if status, answer := a.do("POST", databases+"/"+id+"/query", `{"sql":"SELECT 1"}`, "Authorization: Bearer x", "Content-Encoding: identity"); status != 200 {
		t.Errorf("identity: %d %s", status, answer)
	}
}

// TestSmuggling sends what two readers of HTTP might read differently.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, server.Config{DataDir: t.TempDir()})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (x)")
	head := "POST " + databases + "/" + id + "/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n"
	body := `{"sql":"INSERT INTO t VALUES (1)"}`
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	for name, request := range map[string]string{
		"two lengths":           head + length + "Content-Length: 5\r\n\r\n" + body,
		"an odd coding":         head + "Transfer-Encoding: xchunked\r\n\r\n" + body,
		"a space in a header":   head + "Content-Length : 34\r\n\r\n" + body,
		"a signed length":       head + "Content-Length: +34\r\n\r\n" + body,
		"a folded header":       head + length + "X-A: b\r\n c: d\r\nHost: evil.test\r\n\r\n" + body,
		"two hosts":             strings.Replace(head, "Host: localhost\r\n", "Host: localhost\r\nHost: evil.test\r\n", 1) + length + "\r\n" + body,
		"no host":               strings.Replace(head, "Host: localhost\r\n", "", 1) + length + "\r\n" + body,
		"another host's target": strings.Replace(head, "POST /", "POST http://evil.test/", 1) + length + "\r\n" + body,
		"a bare NUL":            strings.Replace(head, "Bearer x", "Bearer x\x00", 1) + length + "\r\n" + body,
	} {
		conn := a.connect(request)
		answer := make([]byte, 12)
		if n, err := conn.Read(answer); err != nil || n == 12 && answer[9] != '4' && answer[9] != '5' {
			t.Errorf("%s: %s %v", name, answer, err)
		}
		conn.Close()
	}
	if got := a.mustSQL(id, "SELECT count(*) n FROM t"); !strings.Contains(got, `{"n":0}`) {
		t.Errorf("something was written: %s", got)
	}
}

var hexID = regexp.MustCompile(`[0-9a-f]{32}`)
