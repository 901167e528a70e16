package server

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/jsjson"
	"github.com/skylite-go/skylite/internal/wire"
)

// bridge answers what a bridge Worker answers, for the database of a name or an id. Its
// numbers are exact, and it has sessions.
func (s *Server) bridge(c *call) *apiError {
	db, apiErr := s.find(c, true)
	if apiErr != nil {
		return apiErr
	}
	bookmark := d1.Bookmark(c.URL.Query().Get("bookmark"))
	if !bookmark.Valid() {
		return malformed("the bookmark is none")
	}
	data, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	statements, apiErr := readStatements(data)
	if apiErr != nil {
		return apiErr
	}
	h, err := s.catalog.Open(c.Context(), db.ID)
	if err != nil {
		return s.openError(c, err)
	}
	defer h.Close()
	results, err := h.Do(c.Context(), d1.Request{Statements: statements, Bookmark: bookmark})
	if err != nil {
		return s.databaseError(c.Context(), c.database, err)
	}
	defer results.Close()
	return s.answerBridge(c, results, func(i int, rows int64, meta d1.Meta) {
		s.insights.record(db.ID, strings.TrimSpace(statements[i].SQL), rows, meta, s.cfg.Now())
	})
}

// readStatements reads a list of statements, each with its params.
func readStatements(data []byte) ([]d1.Statement, *apiError) {
	d := newDecoder(data)
	all := d.batch()
	if apiErr := d.done(); apiErr != nil {
		return nil, apiErr
	}
	statements := make([]d1.Statement, len(all))
	for i, st := range all {
		statements[i] = d1.Statement{SQL: st.sql, Args: st.params}
	}
	return statements, nil
}

// answerBridge writes the results. Clients hold an answer in memory, and so does this:
// whatever fails is an error in the ordinary form.
func (s *Server) answerBridge(c *call, results *d1.Results, ran func(i int, rows int64, meta d1.Meta)) *apiError {
	body := []byte{'['}
	for n := 0; results.NextResult(); n++ {
		if n > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"success":true,"results":{"columns":[`...)
		for i, name := range results.Columns() {
			if i > 0 {
				body = append(body, ',')
			}
			body = jsjson.AppendString(body, name)
		}
		body = append(body, `],"rows":[`...)
		rows := int64(0)
		for ; results.Next(); rows++ {
			if rows > 0 {
				body = append(body, ',')
			}
			body = appendExact(body, results.Row())
		}
		ran(n, rows, results.Meta())
		body = append(appendMeta(append(body, `]},"meta":`...), results.Meta()), '}')
	}
	bookmark := results.Bookmark()
	if err := results.Close(); err != nil {
		return s.databaseError(c.Context(), c.database, err)
	}
	if bookmark != "" {
		c.w.Header().Set(wire.BookmarkHeader, string(bookmark))
	}
	c.w.Header().Set(wire.ExactHeader, "1")
	writeBody(c.w, http.StatusOK, append(body, ']'))
	return nil
}

// appendExact appends a row as no JavaScript would: an INTEGER with all its digits, and a
// REAL with a fraction or an exponent always; an infinite one is a number too large.
func appendExact(dst []byte, row []d1.Value) []byte {
	dst = append(dst, '[')
	for i, v := range row {
		if i > 0 {
			dst = append(dst, ',')
		}
		n, isInteger := v.Int64()
		switch {
		case isInteger:
			dst = strconv.AppendInt(dst, n, 10)
		case v.Kind() == d1.KindReal:
			dst = appendReal(dst, v)
		default:
			dst = appendValue(dst, v)
		}
	}
	return append(dst, ']')
}

func appendReal(dst []byte, v d1.Value) []byte {
	f, _ := v.Float64()
	text := strconv.FormatFloat(f, 'g', -1, 64)
	switch {
	case text == "+Inf":
		text = "9e999"
	case text == "-Inf":
		text = "-9e999"
	case !strings.ContainsAny(text, ".e"):
		text += ".0"
	}
	return append(dst, text...)
}
