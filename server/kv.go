package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/namespaces"
	"github.com/skylite-go/skylite/kv"
)

// Codes of the KV API's errors. Those of faults for which the service's code is not known
// are its code for a bad body.
const (
	codeKVKey          = 10009
	codeKVID           = 10011
	codeKVBody         = 10012
	codeKVNamespace    = 10013
	codeKVExists       = 10014
	codeKVTitle        = 10019
	codeKVFull         = 10026
	codeKVBulkGet      = 10029
	codeKVExpiration   = 10033
	codeKVTTL          = 10034
	codeKVMetadata     = 10147
	maxTitleCharacters = 512
)

// kvFail is an error as KV writes it: the operation, and the text in quotes.
func kvFail(status, code int, op, text string) *apiError {
	return fail(status, code, op+": '"+text+"'")
}

// kvError turns an error of a namespace, or of their list, into an answer.
func (s *Server) kvError(ctx context.Context, op string, err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return kvFail(http.StatusNotFound, codeKVKey, op, "key not found")
	case errors.Is(err, namespaces.ErrNotFound):
		return kvFail(http.StatusNotFound, codeKVNamespace, op, "namespace not found")
	case errors.Is(err, namespaces.ErrExists):
		return kvFail(http.StatusBadRequest, codeKVExists, op, "a namespace with this account ID and title already exists")
	}
	if _, ofDatabase := errors.AsType[*d1.Error](err); ofDatabase {
		return s.databaseError(ctx, "kv", err)
	}
	e, ok := errors.AsType[*kv.Error](err)
	if !ok || e.Status == 0 {
		return s.internal(ctx, err)
	}
	return kvFail(e.Status, kvCode(e.Message), op, e.Message)
}

// kvCode returns the code that goes with a text.
func kvCode(text string) int {
	switch {
	case strings.HasPrefix(text, "Invalid expiration_ttl"):
		return codeKVTTL
	case strings.HasPrefix(text, "Invalid expiration"):
		return codeKVExpiration
	case strings.HasPrefix(text, "You can request a maximum"), strings.HasPrefix(text, "You must request a minimum"),
		strings.HasPrefix(text, "At least one of the requested keys"):
		return codeKVBulkGet
	}
	return codeKVBody
}

var namespaceForm = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)

// checkNamespaceID checks the form of the id in a path.
func checkNamespaceID(id string) *apiError {
	if namespaceForm.MatchString(id) {
		return nil
	}
	return fail(http.StatusBadRequest, codeKVID,
		"could not parse UUID from request's namespace_id: 'invalid namespace format: "+id+"'")
}

// namespace opens the namespace that a path names.
func (s *Server) namespace(c *call, op string) (kv.Batcher, *apiError) {
	if apiErr := checkNamespaceID(c.namespace); apiErr != nil {
		return nil, apiErr
	}
	ns, err := s.namespaces.Open(c.Context(), c.namespace)
	if err != nil {
		return nil, s.kvError(c.Context(), op, err)
	}
	return s.stale.around(strings.ToLower(c.namespace), ns), nil
}

type namespaceResult struct {
	ID                  string `json:"id"`
	Title               string `json:"title"`
	SupportsURLEncoding bool   `json:"supports_url_encoding"`
}

func resultOf(ns namespaces.Namespace) namespaceResult {
	return namespaceResult{ID: ns.ID, Title: ns.Title, SupportsURLEncoding: true}
}

func (s *Server) listNamespaces(c *call) *apiError {
	query := c.URL.Query()
	paging, apiErr := pagingOf(query, 20, 1, 1000)
	if apiErr != nil {
		return apiErr
	}
	var order namespaces.Order
	switch query.Get("order") {
	case "", "id":
	case "title":
		order.ByTitle = true
	default:
		return invalidProperty("order", "Invalid enum value. Expected 'id' | 'title'")
	}
	switch query.Get("direction") {
	case "", "asc":
	case "desc":
		order.Descending = true
	default:
		return invalidProperty("direction", "Invalid enum value. Expected 'asc' | 'desc'")
	}
	page, total, err := s.namespaces.List(c.Context(), order, paging.offset(), paging.perPage)
	if err != nil {
		return s.kvError(c.Context(), "list namespaces", err)
	}
	results := make([]namespaceResult, len(page))
	for i, ns := range page {
		results[i] = resultOf(ns)
	}
	writeInfo(c.w, results, struct {
		info
		TotalPages int64 `json:"total_pages"`
	}{info{Count: len(page), Page: paging.page, PerPage: paging.perPage, TotalCount: total},
		(total + paging.perPage - 1) / paging.perPage})
	return nil
}

// writeInfo is writeResult with any result_info.
func writeInfo(w http.ResponseWriter, result, of any) {
	body := appendJSON([]byte(`{"result":`), result)
	body = appendJSON(append(body, `,"result_info":`...), of)
	writeBody(w, http.StatusOK, append(body, `,"success":true,"errors":[],"messages":[]}`...))
}

// readTitle reads the body of a create or a rename.
func (s *Server) readTitle(c *call) (string, *apiError) {
	var body struct {
		Title *string `json:"title"`
	}
	if apiErr := s.readKVBody(c, "request", &body); apiErr != nil {
		return "", apiErr
	}
	switch {
	case body.Title == nil || *body.Title == "":
		return "", fail(http.StatusBadRequest, codeKVTitle, "request is missing a title definition")
	case utf8.RuneCountInString(*body.Title) > maxTitleCharacters:
		return "", fail(http.StatusBadRequest, codeKVTitle,
			fmt.Sprintf("the title is longer than %d characters", maxTitleCharacters))
	}
	return *body.Title, nil
}

// readKVBody reads a body that must be JSON of a form.
func (s *Server) readKVBody(c *call, op string, v any) *apiError {
	data, apiErr := s.readBody(c)
	if apiErr != nil {
		return apiErr
	}
	switch {
	case len(data) == 0:
		return kvFail(http.StatusBadRequest, codeKVBody, op, "the body is empty")
	case !utf8.Valid(data): // which would become U+FFFD in silence
		return kvFail(http.StatusBadRequest, codeKVBody, op, "the body is not valid UTF-8")
	}
	if err := json.Unmarshal(data, v); err != nil {
		return kvFail(http.StatusBadRequest, codeKVBody, op, "could not parse the body: "+err.Error())
	}
	return nil
}

func (s *Server) createNamespace(c *call) *apiError {
	title, apiErr := s.readTitle(c)
	if apiErr != nil {
		return apiErr
	}
	ns, err := s.namespaces.Create(c.Context(), title)
	switch {
	case errors.Is(err, namespaces.ErrFull):
		return fail(http.StatusBadRequest, codeKVFull,
			fmt.Sprintf("create namespace: 'this account has reached its limit of %d namespaces'", s.namespaces.Max()))
	case err != nil:
		return s.kvError(c.Context(), "create namespace", err)
	}
	writeResult(c.w, resultOf(ns), nil)
	return nil
}

func (s *Server) getNamespace(c *call) *apiError {
	if apiErr := checkNamespaceID(c.namespace); apiErr != nil {
		return apiErr
	}
	ns, err := s.namespaces.Get(c.Context(), c.namespace)
	if err != nil {
		return s.kvError(c.Context(), "get namespace", err)
	}
	writeResult(c.w, resultOf(ns), nil)
	return nil
}

func (s *Server) renameNamespace(c *call) *apiError {
	if apiErr := checkNamespaceID(c.namespace); apiErr != nil {
		return apiErr
	}
	title, apiErr := s.readTitle(c)
	if apiErr != nil {
		return apiErr
	}
	ns, err := s.namespaces.Rename(c.Context(), c.namespace, title)
	if err != nil {
		return s.kvError(c.Context(), "rename namespace", err)
	}
	writeResult(c.w, resultOf(ns), nil)
	return nil
}

func (s *Server) deleteNamespace(c *call) *apiError {
	if apiErr := checkNamespaceID(c.namespace); apiErr != nil {
		return apiErr
	}
	if err := s.namespaces.Delete(c.Context(), c.namespace); err != nil {
		return s.kvError(c.Context(), "remove namespace", err)
	}
	writeResult(c.w, nil, nil)
	return nil
}
