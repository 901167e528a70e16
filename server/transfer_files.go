package server

import (
	"crypto/rand"
	"crypto/subtle"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// files are those that clients have announced or sent, until they are imported, and
// those that were exported, until they have expired.
type files struct {
	mu     sync.Mutex
	byName map[string]*file
	count  uint64 // of all that there ever were
}

// file is one file. Whoever knows its secret may send or fetch it: that takes no
// credentials, as on Cloudflare.
type file struct {
	database string
	name     string
	secret   string
	etag     string    // MD5 of an upload, in lower-case hex; "" for an export
	data     *diskFile // nil until it has arrived
	order    uint64    // by files.count
	expires  time.Time
}

// Files wait for an hour, and not many at a time. A client that announces a file and
// never comes back keeps nobody else out: the one that has waited longest makes room, and
// of them one that has not arrived.
const (
	fileLife = time.Hour
	maxFiles = 16
)

// add adds a file, and gives it a name and a secret.
func (fs *files) add(f *file, now time.Time) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, old := range fs.byName {
		if now.After(old.expires) {
			fs.remove(old)
		}
	}
	if len(fs.byName) >= maxFiles {
		fs.remove(fs.oldest())
	}
	if fs.byName == nil {
		fs.byName = make(map[string]*file)
	}
	fs.count++
	f.order, f.expires = fs.count, now.Add(fileLife)
	if f.name == "" { // it is none that is put back
		f.name, f.secret = strings.ToLower(rand.Text())+".sql", rand.Text()
	}
	fs.byName[f.name] = f
}

// remove forgets a file. The caller holds the lock.
func (fs *files) remove(f *file) {
	delete(fs.byName, f.name)
	if f.data != nil {
		f.data.close()
	}
}

// oldest returns the file that makes room for another.
func (fs *files) oldest() (oldest *file) {
	for _, f := range fs.byName {
		arrived := f.data != nil
		if oldest == nil || (oldest.data != nil) && !arrived || (oldest.data != nil) == arrived && f.order < oldest.order {
			oldest = f
		}
	}
	return oldest
}

// find returns a copy of what is known of a file, to who knows its secret. Its data, if
// there are any, must be closed.
func (fs *files) find(name, database, secret string, now time.Time) (file, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f, ok := fs.byName[name]
	if !ok || f.database != database || now.After(f.expires) ||
		subtle.ConstantTimeCompare([]byte(f.secret), []byte(secret)) != 1 {
		return file{}, false
	}
	if f.data != nil {
		f.data.use()
	}
	return *f, true
}

// put stores what has arrived. It takes the data.
func (fs *files) put(name string, data *diskFile) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f, ok := fs.byName[name]
	if !ok {
		data.close()
		return
	}
	if f.data != nil {
		f.data.close()
	}
	f.data = data
}

// take removes a file that has arrived and returns it, to one caller only: a call that
// is sent twice runs the file once. An empty name means any with the etag.
func (fs *files) take(name, database, etag string) (*file, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.byName {
		if f.data != nil && f.database == database && f.etag == etag && (name == "" || f.name == name) {
			delete(fs.byName, f.name)
			return f, true
		}
	}
	return nil, false
}

// close removes all files.
func (fs *files) close() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.byName {
		fs.remove(f)
	}
}

// diskFile is a file on disk that is gone when the last who use it have closed it.
type diskFile struct {
	*os.File
	size int64

	mu    sync.Mutex
	users int
	named bool // the system does not remove the names of open files
}

// newDiskFile makes a file that only its owner can read, and takes its name away where
// that can be done, so that not even a crash leaves it behind.
func newDiskFile() (*diskFile, error) {
	f, err := os.CreateTemp("", "skylite-*.sql")
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f, users: 1, named: os.Remove(f.Name()) != nil}, nil
}

func (f *diskFile) use() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users++
}

func (f *diskFile) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users--; f.users > 0 {
		return
	}
	_ = f.File.Close() // nothing of it is wanted any more
	if f.named {
		_ = os.Remove(f.Name())
	}
}

// reader returns a reader of the whole file for one user.
func (f *diskFile) reader() *io.SectionReader { return io.NewSectionReader(f.File, 0, f.size) }

const signature = "signature"

// fileURL is the address at which a file is sent or fetched without credentials.
func fileURL(c *call, kind string, f *file) string {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Host + "/client/v4/accounts/" + url.PathEscape(c.account) + "/d1/database/" + f.database +
		"/" + kind + "/" + url.PathEscape(f.name) + "?" + signature + "=" + f.secret
}

// isSigned reports whether a request sends or fetches a file, for which its secret stands
// in for credentials.
func isSigned(method, path string) bool {
	segments := strings.Split(path, "/")
	if len(segments) != 8 {
		return false
	}
	return method == http.MethodPut && segments[6] == "import" ||
		(method == http.MethodGet || method == http.MethodHead) && segments[6] == "export"
}
