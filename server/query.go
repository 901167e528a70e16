package server

import (
	"errors"
	"net/http"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/catalog"
	"github.com/skylite-go/skylite/internal/sqltext"
)

func (s *Server) query(c *call) *apiError { return s.runQuery(c, false) }
func (s *Server) raw(c *call) *apiError   { return s.runQuery(c, true) }

// runQuery answers query and raw. What is wrong with the request is said before the
// database is looked for.
func (s *Server) runQuery(c *call, raw bool) *apiError {
	byName := s.cfg.Switches.NamesEverywhere
	if !byName && !uuidForm.MatchString(c.database) {
		return invalidProperty("databaseId", "Invalid uuid")
	}
	data, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	bodies, apiErr := readQuery(data)
	if apiErr != nil {
		return apiErr
	}
	statements, apiErr := s.statements(bodies)
	if apiErr != nil {
		return apiErr
	}
	id := c.database
	if byName {
		db, apiErr := s.find(c, true)
		if apiErr != nil {
			return apiErr
		}
		id = db.ID
	}
	h, err := s.catalog.Open(c.Context(), id)
	if err != nil {
		return s.openError(c, err)
	}
	defer h.Close()
	results, err := h.Do(c.Context(), d1.Request{Statements: statements})
	if err != nil {
		return s.databaseError(c.Context(), c.database, err)
	}
	defer results.Close()
	return s.stream(c, results, raw, func(i int, rows int64, meta d1.Meta) {
		s.insights.record(h.Database.ID, strings.TrimSpace(statements[i].SQL), rows, meta, s.cfg.Now())
	})
}

// openError is the answer if a database that there is cannot be opened. The text is
// D1's.
func (s *Server) openError(c *call, err error) *apiError {
	if errors.Is(err, catalog.ErrNotFound) || errors.Is(err, catalog.ErrBusy) || errors.Is(err, catalog.ErrClosed) {
		return s.databaseError(c.Context(), c.database, err)
	}
	s.internal(c.Context(), err)
	return fail(http.StatusInternalServerError, codeSQL,
		"Internal error while starting up D1 DB storage caused object to be reset.")
}

func sqlError(text string) *apiError { return fail(http.StatusBadRequest, codeSQL, text) }

// statements cuts the SQL of a request into statements, all of one transaction.
func (s *Server) statements(bodies []statementBody) ([]d1.Statement, *apiError) {
	all := make([]d1.Statement, 0, len(bodies))
	for _, body := range bodies {
		pieces := sqltext.Split(body.sql)
		for len(pieces) > 1 && pieces[0].Kind == sqltext.Empty {
			pieces = pieces[1:] // SQLite skips these
		}
		lenient := s.cfg.Switches.LenientParams && len(body.params) == 0
		switch {
		case len(pieces) == 0 && strings.Contains(body.sql, "/*"):
			return nil, sqlError("SQL code did not contain a statement.")
		case len(pieces) == 0:
			return nil, sqlError("No SQL statements detected.")
		case len(pieces) > 1 && body.hasParams && !lenient:
			return nil, malformed("params with multiple statements is not supported")
		}
		for i, piece := range pieces {
			if piece.Fault.Kind == sqltext.NULByte {
				return nil, sqlError("SQL code did not contain a statement.")
			}
			if piece.Kind == sqltext.Empty {
				return nil, sqlError("SQL code did not contain a statement.")
			}
			if s.cfg.Switches.RefuseLowerCaseTriggers && lowerCaseTrigger(piece) {
				return nil, sqlError("incomplete input: SQLITE_ERROR")
			}
			if i > 0 {
				piece.Text = strings.TrimLeft(piece.Text, " \t\n\f\r") // offsets count from here
			}
			all = append(all, d1.Statement{SQL: piece.Text, Args: body.params})
		}
	}
	if len(all) == 0 {
		return nil, sqlError("No SQL statements detected.")
	}
	return all, nil
}

// lowerCaseTrigger reports whether a statement creates a trigger whose BEGIN is not in
// capitals.
func lowerCaseTrigger(piece sqltext.Statement) bool {
	if piece.Verb != "CREATE" {
		return false
	}
	words, trigger := 0, false
	for pos := piece.VerbStart; pos < len(piece.Text); {
		t := sqltext.Next(piece.Text, pos)
		pos = t.End
		if t.Kind != sqltext.TokenWord {
			continue
		}
		words++
		text := t.Text(piece.Text)
		// CREATE TRIGGER or CREATE TEMP TRIGGER
		trigger = trigger || words <= 3 && strings.EqualFold(text, "TRIGGER")
		switch {
		case words >= 3 && !trigger:
			return false
		case trigger && strings.EqualFold(text, "BEGIN"):
			return text != "BEGIN"
		}
	}
	return false
}
