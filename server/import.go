package server

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/catalog"
	"github.com/skylite-go/skylite/internal/jsjson"
)

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

// importSQL answers D1's import: announce a file, send it, run it as one transaction, and
// ask how it goes.
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
		return s.announce(c, db, body.etag)
	case "poll":
		t := s.tasks.find("import", db.ID, func(t *task) bool { return string(t.bookmark) == body.bookmark })
		if t == nil {
			writeResult(c.w, rawJSON(appendObject([]member{
				{"success", false}, {"error", "Not currently importing anything."},
			})), nil)
			return nil
		}
		return s.answerImport(c, t)
	}
	f, ok := s.files.take(body.filename, db.ID, body.etag)
	if !ok {
		return invalidProperty("filename", "no such file was uploaded to this database with this etag")
	}
	return s.ingest(c, db, f)
}

// announce tells a client where to send a file; or, if the file is here already, how its
// import goes.
func (s *Server) announce(c *call, db catalog.Database, etag string) *apiError {
	if t := s.tasks.find("import", db.ID, func(t *task) bool { return t.etag == etag && !t.ended() }); t != nil {
		return s.answerImport(c, t)
	}
	if f, ok := s.files.take("", db.ID, etag); ok {
		return s.ingest(c, db, f)
	}
	f := &file{database: db.ID, etag: etag}
	s.files.add(f, s.cfg.Now())
	writeResult(c.w, rawJSON(appendObject([]member{
		{"filename", f.name}, {"upload_url", fileURL(c, "import", f)},
	})), nil)
	return nil
}

// receive takes a file.
func (s *Server) receive(c *call) *apiError {
	f, ok := s.files.find(c.file, c.database, c.URL.Query().Get(signature), s.cfg.Now())
	if !ok || f.etag == "" {
		return fail(http.StatusForbidden, codeAccess, "Unauthorized to access requested resource: no such upload was announced")
	}
	if f.data != nil {
		f.data.close() // it is sent again
	}
	data, err := newDiskFile()
	if err != nil {
		return s.internal(c.Context(), err)
	}
	got, apiErr := s.store(c, data)
	switch {
	case apiErr != nil:
	case got != f.etag:
		apiErr = malformed("the file's MD5 is " + got + ", but " + f.etag + " was announced")
	default:
		s.files.put(c.file, data)
		c.w.Header().Set("ETag", `"`+f.etag+`"`)
		writeResult(c.w, nil, nil)
		return nil
	}
	data.close()
	return apiErr
}

// store writes a body to a file, and returns its MD5. A client has the time for a body
// anew for every piece.
func (s *Server) store(c *call, data *diskFile) (md5Hex string, apiErr *apiError) {
	limit := s.cfg.MaxImportBytes
	tooLarge := fail(http.StatusRequestEntityTooLarge, codeMalformed,
		fmt.Sprintf("The request is malformed: the file is larger than %d bytes", limit))
	c.w.Header().Set("Connection", "close") // unless all goes well, the rest is not waited for
	if c.ContentLength > limit {
		return "", tooLarge
	}
	control := http.NewResponseController(c.w)
	sum := md5.New()
	body := http.MaxBytesReader(c.w, c.Body, limit)
	for {
		if s.cfg.ReadTimeout > 0 {
			_ = control.SetReadDeadline(time.Now().Add(s.cfg.ReadTimeout))
		}
		n, err := io.CopyN(io.MultiWriter(data, sum), body, 1<<20)
		data.size += n
		switch _, large := errors.AsType[*http.MaxBytesError](err); {
		case large:
			return "", tooLarge
		case err == io.EOF:
			_ = control.SetReadDeadline(time.Time{})
			c.w.Header().Del("Connection")
			return hex.EncodeToString(sum.Sum(nil)), nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return "", malformed(jsjson.ErrTruncated.Error())
		case err != nil:
			s.cfg.Logger.WarnContext(c.Context(), "cannot store an upload", "ray", rayOf(c.Context()), "error", err)
			return "", malformed("the body could not be read or stored")
		}
	}
}

// ingest begins to run a file, and says how it goes.
func (s *Server) ingest(c *call, db catalog.Database, f *file) *apiError {
	if apiErr := s.tasks.free(db.ID); apiErr != nil {
		s.files.add(f, s.cfg.Now()) // for another try
		return apiErr
	}
	h, err := s.catalog.Open(c.Context(), db.ID)
	if err != nil {
		s.files.add(f, s.cfg.Now()) // for another try
		return s.openError(c, err)
	}
	t := &task{kind: "import", database: db.ID, etag: f.etag}
	importer, ok := h.Backend.(d1.Importer)
	if t.bookmark, err = stateOf(c.Context(), h); err == nil && !ok {
		err = d1.NewError("this database cannot import files")
	}
	if err != nil {
		_ = h.Close()
		f.data.close()
		return s.databaseError(c.Context(), db.ID, err)
	}
	t.say("Starting import...")
	apiErr := s.start(t, h, func(ctx context.Context) error {
		defer f.data.close()
		var err error
		t.imported, err = importer.Import(ctx, f.data.reader(), d1.ImportOptions{Progress: t.say})
		return err
	})
	if apiErr != nil {
		_ = h.Close()
		s.files.add(f, s.cfg.Now())
		return apiErr
	}
	return s.answerImport(c, t)
}

// answerImport says how an import goes. Its end is told once.
func (s *Server) answerImport(c *call, t *task) *apiError {
	t.wait(c.Context())
	answer := []member{{"success", true}, {"type", "import"}, {"at_bookmark", string(t.bookmark)}}
	if !t.ended() {
		answer = append(answer, member{"status", "active"}, member{"messages", t.heard()}, member{"errors", []string{}})
		writeStatus(c.w, http.StatusAccepted, rawJSON(appendObject(answer)))
		return nil
	}
	s.tasks.drop(t)
	if t.err != nil {
		text := s.taskError(c.Context(), t)
		answer = append(answer, member{"status", "error"}, member{"messages", t.heard()},
			member{"error", text}, member{"errors", []string{text}}) // the SDKs know the one, wrangler the other
		writeResult(c.w, rawJSON(appendObject(answer)), nil)
		return nil
	}
	meta := t.imported.Meta
	result := []member{
		{"final_bookmark", string(t.imported.Bookmark)}, {"num_queries", t.imported.Statements},
		{"meta", rawJSON(appendObject([]member{
			{"served_by", meta.ServedBy}, {"duration", float64(meta.Duration) / float64(time.Millisecond)},
			{"changes", meta.Changes}, {"last_row_id", meta.LastRowID}, {"changed_db", meta.ChangedDB},
			{"size_after", meta.SizeAfter}, {"rows_read", meta.RowsRead}, {"rows_written", meta.RowsWritten},
			{"num_tables", t.imported.Tables},
		}))},
	}
	answer = append(answer, member{"status", "complete"},
		member{"messages", append(t.heard(), "Processed "+strconv.FormatInt(t.imported.Statements, 10)+" queries.")},
		member{"errors", []string{}}, member{"result", rawJSON(appendObject(result))})
	writeResult(c.w, rawJSON(appendObject(answer)), nil)
	return nil
}
