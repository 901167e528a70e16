package server

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// uploads are the files that clients have announced or sent, until they are imported.
type uploads struct {
	mu     sync.Mutex
	byName map[string]*upload
	count  uint64 // of all that were ever announced
}

// upload is one file. Its name is the secret that lets a client send it: the upload
// carries no credentials, as on Cloudflare.
type upload struct {
	database string
	etag     string // MD5 of the file, in lower-case hex
	data     []byte
	arrived  bool
	order    uint64 // when it was announced, by uploads.count
	expires  time.Time
}

// Files wait for an hour, and not many at a time, since they are held in memory. A
// client that announces a file and never comes back keeps nobody else out: the one that
// has waited longest makes room, and of them one that has not arrived.
const (
	uploadLife = time.Hour
	maxUploads = 8
)

func (u *uploads) add(file *upload, now time.Time) (name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for name, old := range u.byName {
		if now.After(old.expires) {
			delete(u.byName, name)
		}
	}
	if len(u.byName) >= maxUploads {
		delete(u.byName, u.oldest())
	}
	if u.byName == nil {
		u.byName = make(map[string]*upload)
	}
	u.count++
	file.order, file.expires = u.count, now.Add(uploadLife)
	name = strings.ToLower(rand.Text()) + ".sql"
	u.byName[name] = file
	return name
}

// oldest returns the file that makes room for another.
func (u *uploads) oldest() (name string) {
	for candidate, file := range u.byName {
		old := u.byName[name]
		if old == nil || old.arrived && !file.arrived || old.arrived == file.arrived && file.order < old.order {
			name = candidate
		}
	}
	return name
}

// find returns a copy of what is known of a file.
func (u *uploads) find(name, database string) (upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	file, ok := u.byName[name]
	if !ok || file.database != database {
		return upload{}, false
	}
	return *file, true
}

func (u *uploads) put(name string, data []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if file, ok := u.byName[name]; ok {
		file.data, file.arrived = data, true
	}
}

// take removes a file that has arrived and returns it, to one caller only: a call that
// is sent twice runs the file once.
func (u *uploads) take(name, database, etag string) (upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	file, ok := u.byName[name]
	if !ok || !file.arrived || file.database != database || file.etag != etag {
		return upload{}, false
	}
	delete(u.byName, name)
	return *file, true
}

// importBody is the body of a call of import.
type importBody struct{ action, etag, filename, bookmark string }

func readImport(data []byte) (importBody, *apiError) {
	var body importBody
	d := newDecoder(data)
	d.object(func(key string) {
		switch key {
		case "action":
			body.action = d.oneOf(key, "init", "ingest", "poll")
		case "etag":
			body.etag = strings.ToLower(d.text(key))
		case "filename":
			body.filename = d.text(key)
		case "current_bookmark":
			body.bookmark = d.text(key)
		default:
			d.Skip()
		}
	})
	if err := d.done(); err != nil {
		return body, err
	}
	switch {
	case body.action == "":
		return body, invalidProperty("action", "Required")
	case body.action != "poll" && !isMD5(body.etag):
		return body, invalidProperty("etag", "Expected the MD5 of the file, in hex")
	case body.action == "ingest" && body.filename == "":
		return body, invalidProperty("filename", "Required")
	}
	return body, nil
}

func isMD5(etag string) bool {
	b, err := hex.DecodeString(etag)
	return err == nil && len(b) == md5.Size
}

// importSQL answers D1's import: announce a file, send it, run it as one transaction.
// A file is run while its client waits, so there is never anything to poll for.
func (s *Server) importSQL(c *call) *apiError {
	data, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	body, apiErr := readImport(data)
	if apiErr != nil {
		return apiErr
	}
	db, apiErr := s.find(c, false)
	if apiErr != nil {
		return apiErr
	}
	switch body.action {
	case "init":
		name := s.uploads.add(&upload{database: db.ID, etag: body.etag}, s.cfg.Now())
		writeResult(c.w, rawJSON(appendObject([]member{
			{"filename", name}, {"upload_url", uploadURL(c, db.ID, name)},
		})), nil)
		return nil
	case "poll":
		writeResult(c.w, rawJSON(appendObject([]member{
			{"success", false}, {"error", "Not currently importing anything."},
		})), nil)
		return nil
	}
	file, ok := s.uploads.take(body.filename, db.ID, body.etag)
	if !ok {
		return invalidProperty("filename", "no such file was uploaded to this database with this etag")
	}
	return s.ingest(c, db.ID, file)
}

func uploadURL(c *call, database, name string) string {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Host + "/client/v4/accounts/" + url.PathEscape(c.account) + "/d1/database/" + database + "/import/" + name
}

// isUpload reports whether a request sends a file that was announced. It needs no
// credentials: the file's name is one.
func isUpload(method, path string) bool {
	segments := strings.Split(path, "/")
	return method == http.MethodPut && len(segments) == 8 && segments[6] == "import"
}

// receive takes a file.
func (s *Server) receive(c *call) *apiError {
	file, ok := s.uploads.find(c.file, c.database)
	if !ok {
		return fail(http.StatusForbidden, codeAccess, "Unauthorized to access requested resource: no such upload was announced")
	}
	data, apiErr := s.readAll(c)
	if apiErr != nil {
		return apiErr
	}
	sum := md5.Sum(data)
	if got := hex.EncodeToString(sum[:]); got != file.etag {
		return malformed("the file's MD5 is " + got + ", but " + file.etag + " was announced")
	}
	s.uploads.put(c.file, data)
	c.w.Header().Set("ETag", `"`+file.etag+`"`)
	writeResult(c.w, nil, nil)
	return nil
}

// ingest runs a file and says what came of it. A failure is an answer like another,
// with the status "error".
func (s *Server) ingest(c *call, database string, file upload) *apiError {
	if !utf8.Valid(file.data) {
		return malformed("the file is not valid UTF-8")
	}
	var statements []d1.Statement
	for _, piece := range sqltext.Statements(string(file.data)) {
		statements = append(statements, d1.Statement{SQL: piece.Text})
	}
	// Time Travel would name a state of the database here; this names the file.
	bookmark := "00000000-00000000-00000000-" + file.etag
	answer := []member{{"success", true}, {"type", "import"}, {"at_bookmark", bookmark}}
	meta, err := s.runImport(c.Context(), database, statements)
	if err != nil {
		apiErr := s.databaseError(c.Context(), database, err)
		if apiErr.status >= 500 || apiErr.status == http.StatusNotFound {
			return apiErr
		}
		answer = append(answer, member{"status", "error"}, member{"messages", []string{}},
			member{"errors", []string{apiErr.messages[0].Message}})
		writeResult(c.w, rawJSON(appendObject(answer)), nil)
		return nil
	}
	// The import is done, whatever comes of counting the tables.
	tables, _, err := s.measure(c.Context(), database)
	if err != nil {
		s.internal(c.Context(), err)
	}
	result := []member{
		{"final_bookmark", bookmark}, {"num_queries", len(statements)},
		{"meta", rawJSON(appendObject([]member{
			{"served_by", meta.ServedBy}, {"duration", float64(meta.Duration) / float64(time.Millisecond)},
			{"changes", meta.Changes}, {"last_row_id", meta.LastRowID}, {"changed_db", meta.ChangedDB},
			{"size_after", meta.SizeAfter}, {"rows_read", meta.RowsRead}, {"rows_written", meta.RowsWritten},
			{"num_tables", tables},
		}))},
	}
	answer = append(answer, member{"status", "complete"},
		member{"messages", []string{"Processed " + strconv.Itoa(len(statements)) + " queries."}},
		member{"errors", []string{}}, member{"result", rawJSON(appendObject(result))})
	writeResult(c.w, rawJSON(appendObject(answer)), nil)
	return nil
}

// runImport runs the statements as one transaction and adds up their metas.
func (s *Server) runImport(ctx context.Context, database string, statements []d1.Statement) (total d1.Meta, err error) {
	if len(statements) == 0 {
		return total, sqlError("No SQL statements detected.")
	}
	h, err := s.catalog.Open(ctx, database)
	if err != nil {
		return total, err
	}
	defer h.Close()
	results, err := h.Do(ctx, d1.Request{Statements: statements})
	if err != nil {
		return total, err
	}
	defer results.Close()
	for results.NextResult() {
		m := results.Meta()
		m.Duration += total.Duration
		m.Changes += total.Changes
		m.RowsRead += total.RowsRead
		m.RowsWritten += total.RowsWritten
		m.ChangedDB = m.ChangedDB || total.ChangedDB
		total = m
	}
	return total, results.Close()
}
