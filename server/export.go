package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/catalog"
	"github.com/skylite-go/skylite/internal/jsjson"
)

// exportBody is the body of a call of export.
type exportBody struct {
	format, bookmark string
	opts             d1.ExportOptions
}

func readExport(data []byte) (exportBody, *apiError) {
	var body exportBody
	d := newDecoder(data)
	d.object(func(key string) {
		switch key {
		case "output_format":
			body.format = d.oneOf(key, "polling")
		case "current_bookmark":
			body.bookmark = d.text(key)
		case "dump_options":
			d.dumpOptions(key, &body.opts)
		default:
			d.Skip()
		}
	})
	if err := d.done(); err != nil {
		return body, err
	}
	if body.format == "" {
		return body, invalidProperty("output_format", "Required")
	}
	return body, nil
}

func (d *decoder) dumpOptions(path string, opts *d1.ExportOptions) {
	if !d.expect(path, jsjson.Object) {
		return
	}
	d.Object(func(key string) {
		at := path + "." + key
		switch key {
		case "no_data":
			opts.NoData = d.expect(at, jsjson.Boolean) && d.Bool()
		case "no_schema":
			opts.NoSchema = d.expect(at, jsjson.Boolean) && d.Bool()
		case "tables":
			if d.expect(at, jsjson.Array) {
				d.Array(func(i int) { opts.Tables = append(opts.Tables, d.text(at+"."+strconv.Itoa(i))) })
			}
		default:
			d.Skip()
		}
	})
}

// export answers D1's export: the first call begins one, the others ask how it goes.
func (s *Server) export(c *call) *apiError {
	data, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	body, apiErr := readExport(data)
	if apiErr != nil {
		return apiErr
	}
	db, apiErr := s.find(c, false)
	if apiErr != nil {
		return apiErr
	}
	var t *task
	if body.bookmark == "" {
		if t, apiErr = s.startExport(c, db, body.opts); apiErr != nil {
			return apiErr
		}
	} else if t = s.tasks.find("export", db.ID, func(t *task) bool { return string(t.bookmark) == body.bookmark }); t == nil {
		writeResult(c.w, rawJSON(appendObject([]member{
			{"success", false}, {"type", "export"}, {"error", "Not currently exporting anything."},
		})), nil)
		return nil
	}
	t.wait(c.Context())
	return s.answerExport(c, t)
}

func (s *Server) startExport(c *call, db catalog.Database, opts d1.ExportOptions) (*task, *apiError) {
	if apiErr := s.tasks.free(db.ID); apiErr != nil {
		return nil, apiErr
	}
	h, err := s.catalog.Open(c.Context(), db.ID)
	if err != nil {
		return nil, s.openError(c, err)
	}
	t := &task{kind: "export", database: db.ID}
	exporter, ok := h.Backend.(d1.Exporter)
	if t.bookmark, err = stateOf(c.Context(), h); err == nil && !ok {
		err = d1.NewError("D1 Export error: this database cannot be exported")
	}
	if err != nil {
		_ = h.Close()
		return nil, s.databaseError(c.Context(), db.ID, err)
	}
	t.say("Generating " + t.filename())
	opts.Progress = t.say
	apiErr := s.start(t, h, func(ctx context.Context) error {
		data, err := newDiskFile()
		if err != nil {
			return err
		}
		if _, err = exporter.Export(ctx, data, opts); err == nil {
			data.size, err = data.Seek(0, 1)
		}
		if err != nil {
			data.close()
			return err
		}
		t.file = &file{database: db.ID, data: data}
		s.files.add(t.file, s.cfg.Now())
		t.say("Finished uploading " + t.filename() + " in 1 parts.")
		return nil
	})
	if apiErr != nil {
		_ = h.Close()
		return nil, apiErr
	}
	return t, nil
}

// filename is what the service calls the file of an export.
func (t *task) filename() string { return t.database + "-" + string(t.bookmark) + ".sql" }

// answerExport says how an export goes.
func (s *Server) answerExport(c *call, t *task) *apiError {
	answer := []member{{"success", true}, {"type", "export"}, {"at_bookmark", string(t.bookmark)}}
	if !t.ended() {
		answer = append(answer, member{"status", "active"}, member{"messages", t.heard()})
		writeStatus(c.w, http.StatusAccepted, rawJSON(appendObject(answer)))
		return nil
	}
	if t.err != nil {
		s.tasks.drop(t)
		answer = append(answer, member{"status", "error"}, member{"messages", t.heard()},
			member{"error", "D1 Export error: " + s.taskError(c.Context(), t)})
		writeResult(c.w, rawJSON(appendObject(answer)), nil)
		return nil
	}
	answer = append(answer, member{"status", "complete"}, member{"messages", t.heard()}, member{"result", rawJSON(appendObject([]member{
		{"filename", t.filename()}, {"signed_url", fileURL(c, "export", t.file)},
	}))})
	writeResult(c.w, rawJSON(appendObject(answer)), nil)
	return nil
}

// taskError is what clients may know of the error of a task.
func (s *Server) taskError(ctx context.Context, t *task) string {
	if errors.Is(t.err, context.Canceled) {
		return "the " + t.kind + " was cancelled"
	}
	return s.databaseError(ctx, t.database, t.err).messages[0].Message
}

// download hands out a file that was exported.
func (s *Server) download(c *call) *apiError {
	f, ok := s.files.find(c.file, c.database, c.URL.Query().Get(signature), s.cfg.Now())
	if !ok || f.data == nil {
		return fail(http.StatusForbidden, codeAccess, "Unauthorized to access requested resource: the URL is wrong or has expired")
	}
	defer f.data.close()
	c.w.Header().Set("Content-Type", "application/sql")
	c.w.Header().Set("Content-Disposition", "attachment")
	http.ServeContent(c.w, c.Request, "", s.cfg.Now(), f.data.reader())
	return nil
}
