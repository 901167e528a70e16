package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/skylite-go/skylite/kv"
)

type bulkResult struct {
	SuccessfulKeyCount int      `json:"successful_key_count"`
	UnsuccessfulKeys   []string `json:"unsuccessful_keys"`
}

func writeBulk(c *call, n int) {
	writeResult(c.w, bulkResult{SuccessfulKeyCount: n, UnsuccessfulKeys: []string{}}, nil)
}

// pair is an element of a bulk put.
type pair struct {
	Key           *string         `json:"key"`
	Value         *string         `json:"value"`
	Base64        bool            `json:"base64"`
	Expiration    *json.Number    `json:"expiration"`
	ExpirationTTL *json.Number    `json:"expiration_ttl"`
	Metadata      json.RawMessage `json:"metadata"`
}

// write turns a pair into a write. A number of 0 means none here, unlike in a query: clients
// send it where they have nothing to say.
func (p pair) write() (w kv.Write, apiErr *apiError) {
	const op = "bulk put"
	switch {
	case p.Key == nil:
		return w, kvFail(http.StatusBadRequest, codeKVBody, op, "a pair has no key")
	case p.Value == nil:
		return w, kvFail(http.StatusBadRequest, codeKVBody, op, fmt.Sprintf("the key %.64q has no value", *p.Key))
	}
	w = kv.Write{Key: *p.Key, Value: []byte(*p.Value)}
	if p.Base64 {
		var err error
		if w.Value, err = base64.StdEncoding.DecodeString(*p.Value); err != nil {
			return w, kvFail(http.StatusBadRequest, codeKVBody, op, fmt.Sprintf("the value of %.64q is not base64", *p.Key))
		}
	}
	if p.Metadata != nil {
		w.Metadata = p.Metadata
	}
	switch {
	case given(p.ExpirationTTL):
		seconds, ok := leadingInteger(p.ExpirationTTL.String())
		w.PutOptions, apiErr = withTTL(w.PutOptions, seconds, ok, p.ExpirationTTL.String())
	case given(p.Expiration):
		seconds, ok := leadingInteger(p.Expiration.String())
		w.PutOptions, apiErr = withExpiration(w.PutOptions, seconds, ok, p.Expiration.String())
	}
	return w, apiErr
}

func given(n *json.Number) bool { return n != nil && n.String() != "0" && n.String() != "" }

// bulkPut writes all the pairs or none.
func (s *Server) bulkPut(c *call) *apiError {
	const op = "bulk put"
	ns, apiErr := s.namespace(c, op)
	if apiErr != nil {
		return apiErr
	}
	var pairs []pair
	if apiErr := s.readKVBody(c, op, &pairs); apiErr != nil {
		return apiErr
	}
	if apiErr := checkBulk(op, len(pairs)); apiErr != nil {
		return apiErr
	}
	writes := make([]kv.Write, len(pairs))
	for i, p := range pairs {
		if writes[i], apiErr = p.write(); apiErr != nil {
			return apiErr
		}
	}
	if err := ns.Batch(c.Context(), writes); err != nil {
		return s.kvError(c.Context(), op, err)
	}
	writeBulk(c, len(pairs))
	return nil
}

func checkBulk(op string, n int) *apiError {
	if n <= kv.MaxBatch {
		return nil
	}
	return kvFail(http.StatusBadRequest, codeKVBody, op,
		fmt.Sprintf("received %d key/value pairs, but max allowed per request is: %d", n, kv.MaxBatch))
}

func (s *Server) bulkDelete(c *call) *apiError {
	const op = "bulk remove keys"
	ns, apiErr := s.namespace(c, op)
	if apiErr != nil {
		return apiErr
	}
	var keys []string
	if apiErr := s.readKVBody(c, op, &keys); apiErr != nil {
		return apiErr
	}
	if apiErr := checkBulk(op, len(keys)); apiErr != nil {
		return apiErr
	}
	writes := make([]kv.Write, len(keys))
	for i, key := range keys {
		writes[i] = kv.Write{Key: key, Delete: true}
	}
	if err := ns.Batch(c.Context(), writes); err != nil {
		return s.kvError(c.Context(), op, err)
	}
	writeBulk(c, len(keys))
	return nil
}

func (s *Server) bulkGet(c *call) *apiError {
	const op = "bulk get keys"
	var body struct {
		Keys         []string `json:"keys"`
		Type         string   `json:"type"`
		WithMetadata bool     `json:"withMetadata"`
	}
	ns, apiErr := s.namespace(c, op)
	if apiErr != nil {
		return apiErr
	}
	if apiErr := s.readKVBody(c, op, &body); apiErr != nil {
		return apiErr
	}
	if body.Type != "" && body.Type != "text" && body.Type != "json" {
		return kvFail(http.StatusBadRequest, codeKVBulkGet, op, fmt.Sprintf("%q is not a valid type. Use \"json\" or \"text\"", body.Type))
	}
	entries, err := ns.GetManyWithMetadata(c.Context(), body.Keys)
	if err != nil {
		return s.kvError(c.Context(), op, err)
	}
	values := make(map[string]any, len(entries))
	for key, entry := range entries {
		if entry == nil {
			values[key] = nil
			continue
		}
		value, apiErr := bulkValue(entry.Value, body.Type == "json")
		if apiErr != nil {
			return apiErr
		}
		if values[key] = value; body.WithMetadata {
			values[key] = bulkEntry{value, orNullJSON(entry.Metadata), kv.Seconds(entry.Expiration)}
		}
	}
	writeResult(c.w, map[string]any{"values": values}, nil)
	return nil
}

type bulkEntry struct {
	Value      any   `json:"value"`
	Metadata   any   `json:"metadata"`
	Expiration int64 `json:"expiration,omitempty"`
}

// bulkValue is a value as JSON: itself, or a string of it.
func bulkValue(value []byte, asJSON bool) (any, *apiError) {
	switch {
	case asJSON && !(json.Valid(value) && utf8.Valid(value)):
		return nil, kvFail(http.StatusBadRequest, codeKVBulkGet, "bulk get keys",
			"At least one of the requested keys corresponds to a non-json value")
	case asJSON:
		return json.RawMessage(value), nil
	case !utf8.Valid(value):
		return nil, kvFail(http.StatusBadRequest, codeKVBulkGet, "bulk get keys",
			"At least one of the requested keys corresponds to a non-text value")
	}
	return string(value), nil
}
