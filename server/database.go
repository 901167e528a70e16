package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/catalog"
)

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// find returns the database that a path names, by its UUID or, if byName allows it,
// by its name.
func (s *Server) find(c *call, byName bool) (catalog.Database, *apiError) {
	var db catalog.Database
	var err error
	switch {
	case uuidForm.MatchString(c.database):
		db, err = s.catalog.Get(c.Context(), c.database)
	case byName || s.cfg.Switches.NamesEverywhere:
		db, err = s.catalog.ByName(c.Context(), c.database)
	default:
		return db, invalidProperty("databaseId", "Invalid uuid")
	}
	if err != nil {
		return db, s.databaseError(c.Context(), c.database, err)
	}
	return db, nil
}

// member is a key of an object and its value; objects are lists of them, because the
// order of their keys is the real service's.
type member struct {
	key   string
	value any
}

func appendObject(members []member) []byte {
	body := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendJSON(body, m.key), ':')
		body = appendJSON(body, m.value)
	}
	return append(body, '}')
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// summary is what a list says of a database.
func summary(db catalog.Database) []member {
	return []member{
		{"uuid", db.ID},
		{"name", db.Name},
		{"created_at", db.CreatedAt.Format("2006-01-02T15:04:05.000Z")},
		{"version", "production"},
		{"jurisdiction", orNull(db.Jurisdiction)},
	}
}

// details are all that there is to say of a database. Only those of the fields that
// the caller wants are looked up; none means all of them.
func (s *Server) details(ctx context.Context, db catalog.Database, fields []string) ([]member, error) {
	all := summary(db)
	all = slices.Insert(all, 4,
		member{"num_tables", nil}, member{"file_size", nil}, member{"running_in_region", db.Region},
		member{"read_replication", map[string]string{"mode": db.Replication}})
	if len(fields) > 0 {
		all = slices.DeleteFunc(all, func(m member) bool { return !slices.Contains(fields, m.key) })
	}
	measured := func(m member) bool { return m.key == "num_tables" || m.key == "file_size" }
	if !slices.ContainsFunc(all, measured) {
		return all, nil
	}
	tables, size, err := s.measure(ctx, db.ID)
	for i, m := range all {
		switch m.key {
		case "num_tables":
			all[i].value = tables
		case "file_size":
			all[i].value = size
		}
	}
	return all, err
}

// countTables counts as `d1 info` does: neither SQLite's tables nor Cloudflare's.
const countTables = `SELECT count(*) FROM sqlite_master WHERE type = 'table'
	AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_cf\_%' ESCAPE '\'`

// measure returns how many tables a database has, and its size in bytes.
func (s *Server) measure(ctx context.Context, id string) (tables, size int64, err error) {
	h, err := s.catalog.Open(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	defer h.Close()
	results, err := h.Do(ctx, d1.Request{Statements: []d1.Statement{{SQL: countTables}}})
	if err != nil {
		return 0, 0, err
	}
	defer results.Close()
	if results.NextResult() && results.Next() {
		if err := results.Scan(&tables); err != nil {
			return 0, 0, err
		}
		size = results.Meta().SizeAfter
	}
	return tables, size, results.Close()
}

func (s *Server) writeDetails(c *call, db catalog.Database, fields []string) *apiError {
	members, err := s.details(c.Context(), db, fields)
	if err != nil {
		return s.databaseError(c.Context(), db.ID, err)
	}
	writeResult(c.w, rawJSON(appendObject(members)), nil)
	return nil
}

func (s *Server) listDatabases(c *call) *apiError {
	query := c.URL.Query()
	paging, apiErr := pagingOf(query, 1000, 10, 10_000)
	if apiErr != nil {
		return apiErr
	}
	var filter catalog.Filter
	switch name := query.Get("name"); s.cfg.Switches.NameFilter {
	case NameBegins:
		filter.Prefix = name
	case NameEquals:
		filter.Exact = name
	default:
		filter.Contains = name
	}
	page, total, err := s.catalog.List(c.Context(), filter, paging.offset(), paging.perPage)
	if err != nil {
		return s.databaseError(c.Context(), "", err)
	}
	body := []byte{'['}
	for i, db := range page {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, appendObject(summary(db))...)
	}
	writeResult(c.w, rawJSON(append(body, ']')),
		&info{Count: len(page), Page: paging.page, PerPage: paging.perPage, TotalCount: total})
	return nil
}

func (s *Server) createDatabase(c *call) *apiError {
	data, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	want, apiErr := s.readCreate(data)
	if apiErr != nil {
		return apiErr
	}
	db, err := s.catalog.Create(c.Context(), s.newDatabase(want))
	switch {
	case errors.Is(err, catalog.ErrExists):
		return fail(http.StatusBadRequest, codeExists, "Database with name '"+want.name+"' already exists")
	case errors.Is(err, catalog.ErrFull):
		return fail(http.StatusBadRequest, codeLimit,
			fmt.Sprintf("System limit reached: databases per account (%d)", s.catalog.MaxDatabases()))
	case err != nil:
		return s.databaseError(c.Context(), want.name, err)
	}
	// It is made, whatever comes of measuring it: an error would make clients try again.
	members, err := s.details(c.Context(), db, nil)
	if err != nil {
		s.internal(c.Context(), err)
	}
	members = append(members, member{"created_in_region", db.Region}, member{"primary_location_hint", orNull(db.LocationHint)})
	writeResult(c.w, rawJSON(appendObject(members)), nil)
	return nil
}

func (s *Server) newDatabase(want createBody) catalog.Database {
	db := catalog.Database{
		Name: want.name, LocationHint: want.hint, Jurisdiction: want.jurisdiction,
		Replication: want.replication, Region: s.cfg.Region,
	}
	switch {
	case want.jurisdiction == "eu":
		db.Region = "WEUR" // a jurisdiction overrules the hint
	case want.jurisdiction != "":
		db.Region = "ENAM"
	case want.hint != "":
		db.Region = strings.ToUpper(want.hint)
	}
	if db.Replication == "" {
		db.Replication = "disabled"
	}
	return db
}

func (s *Server) getDatabase(c *call) *apiError {
	db, apiErr := s.find(c, true)
	if apiErr != nil {
		return apiErr
	}
	var fields []string
	for _, list := range c.URL.Query()["fields"] {
		fields = append(fields, strings.FieldsFunc(list, func(r rune) bool { return r == ',' })...)
	}
	return s.writeDetails(c, db, fields)
}

func (s *Server) putDatabase(c *call) *apiError   { return s.updateDatabase(c, true) }
func (s *Server) patchDatabase(c *call) *apiError { return s.updateDatabase(c, false) }

func (s *Server) updateDatabase(c *call, required bool) *apiError {
	data, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	mode, apiErr := readUpdate(data, required)
	if apiErr != nil {
		return apiErr
	}
	db, apiErr := s.find(c, false)
	if apiErr != nil {
		return apiErr
	}
	if mode != "" {
		var err error
		if db, err = s.catalog.SetReplication(c.Context(), db.ID, mode); err != nil {
			return s.databaseError(c.Context(), c.database, err)
		}
	}
	return s.writeDetails(c, db, nil)
}

func (s *Server) deleteDatabase(c *call) *apiError {
	db, apiErr := s.find(c, false)
	if apiErr != nil {
		return apiErr
	}
	s.tasks.stop(db.ID)
	if err := s.catalog.Delete(c.Context(), db.ID); err != nil {
		return s.databaseError(c.Context(), c.database, err)
	}
	writeResult(c.w, nil, nil)
	return nil
}
