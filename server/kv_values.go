package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/kv"
)

type keyResult struct {
	Name       string          `json:"name"`
	Expiration int64           `json:"expiration,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

func (s *Server) listKeys(c *call) *apiError {
	const op = "list keys"
	query := c.URL.Query()
	opts := kv.ListOptions{Prefix: query.Get("prefix"), Cursor: query.Get("cursor")}
	if query.Has("limit") && query.Get("limit") != "" {
		n, ok := leadingInteger(query.Get("limit"))
		if !ok || n < 1 {
			return kvFail(http.StatusBadRequest, codeKVBody, op,
				fmt.Sprintf("Invalid key_count_limit of %.40s. Please specify an integer greater than 0.", query.Get("limit")))
		}
		opts.Limit = int(min(n, math.MaxInt32))
	}
	ns, apiErr := s.namespace(c, op)
	if apiErr != nil {
		return apiErr
	}
	page, err := ns.List(c.Context(), opts)
	if err != nil {
		return s.kvError(c.Context(), op, err)
	}
	results := make([]keyResult, len(page.Keys))
	for i, key := range page.Keys {
		results[i] = keyResult{Name: key.Name, Expiration: kv.Seconds(key.Expiration), Metadata: key.Metadata}
	}
	writeInfo(c.w, results, struct {
		Count  int    `json:"count"`
		Cursor string `json:"cursor"`
	}{len(results), page.Cursor})
	return nil
}

// leadingInteger reads a number as JavaScript's parseInt does: digits, and then anything.
func leadingInteger(text string) (int64, bool) {
	text = strings.TrimLeft(text, " \t\r\n")
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return n, true // the nearest that there is
	}
	return n, err == nil
}

func (s *Server) getValue(c *call) *apiError {
	ns, apiErr := s.namespace(c, "get")
	if apiErr != nil {
		return apiErr
	}
	entry, err := ns.GetWithMetadata(c.Context(), c.key)
	if err != nil {
		return s.kvError(c.Context(), "get", err)
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(len(entry.Value)))
	if !entry.Expiration.IsZero() {
		h.Set("Expiration", strconv.FormatInt(kv.Seconds(entry.Expiration), 10))
	}
	// A page that a browser opens by mistake must not run what somebody stored.
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(entry.Value) // a client that is gone needs no answer
	return nil
}

func (s *Server) getMetadata(c *call) *apiError {
	ns, apiErr := s.namespace(c, "metadata")
	if apiErr != nil {
		return apiErr
	}
	entry, err := ns.GetWithMetadata(c.Context(), c.key)
	if err != nil {
		return s.kvError(c.Context(), "metadata", err)
	}
	writeResult(c.w, orNullJSON(entry.Metadata), nil)
	return nil
}

func orNullJSON(metadata json.RawMessage) any {
	if metadata == nil {
		return nil
	}
	return metadata
}

func (s *Server) putValue(c *call) *apiError {
	const op = "put"
	opts, apiErr := expiryOf(c.URL.Query())
	if apiErr != nil {
		return apiErr
	}
	ns, apiErr := s.namespace(c, op)
	if apiErr != nil {
		return apiErr
	}
	value, metadata, apiErr := s.readValue(c)
	if apiErr != nil {
		return apiErr
	}
	if len(bytes.TrimSpace(metadata)) > 0 {
		if !json.Valid(metadata) {
			return fail(http.StatusBadRequest, codeKVMetadata, "metadata must be valid json")
		}
		opts.Metadata = json.RawMessage(metadata)
	}
	if err := ns.Put(c.Context(), c.key, value, opts); err != nil {
		return s.kvError(c.Context(), op, err)
	}
	writeResult(c.w, nil, nil)
	return nil
}

// expiryOf reads the parameters of a put.
func expiryOf(query url.Values) (opts kv.PutOptions, apiErr *apiError) {
	if text := query.Get("expiration_ttl"); query.Has("expiration_ttl") {
		seconds, ok := leadingInteger(text)
		return withTTL(opts, seconds, ok, text)
	}
	if text := query.Get("expiration"); query.Has("expiration") {
		seconds, ok := leadingInteger(text)
		return withExpiration(opts, seconds, ok, text)
	}
	return opts, nil
}

// withTTL sets a TTL that was given, which kv.PutOptions cannot tell from none if it is 0.
func withTTL(opts kv.PutOptions, seconds int64, ok bool, text string) (kv.PutOptions, *apiError) {
	if !ok || seconds <= 0 {
		return opts, kvFail(http.StatusBadRequest, codeKVTTL, "put",
			fmt.Sprintf("Invalid expiration_ttl of %.40s. Please specify integer greater than 0.", text))
	}
	const most = int64(math.MaxInt64 / time.Second)
	opts.TTL = time.Duration(min(seconds, most)) * time.Second
	return opts, nil
}

// lastSecond is the end of the year 9999, which a time.Time is far from overflowing at.
const lastSecond = 253_402_300_799

func withExpiration(opts kv.PutOptions, seconds int64, ok bool, text string) (kv.PutOptions, *apiError) {
	if !ok || seconds <= 0 {
		return opts, kvFail(http.StatusBadRequest, codeKVExpiration, "put", fmt.Sprintf("Invalid expiration of %.40s. "+
			"Please specify integer greater than the current number of seconds since the UNIX epoch.", text))
	}
	if seconds > lastSecond {
		return opts, kvFail(http.StatusBadRequest, codeKVExpiration, "put",
			fmt.Sprintf("Invalid expiration of %.40s. It is later than the year 9999.", text))
	}
	opts.Expiration = time.Unix(seconds, 0)
	return opts, nil
}

// readValue reads a value, and its metadata if they came as a form.
func (s *Server) readValue(c *call) (value, metadata []byte, apiErr *apiError) {
	body, apiErr := s.readAll(c)
	if apiErr != nil {
		return nil, nil, apiErr
	}
	kind, params, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return body, nil, nil
	}
	bad := func(text string) *apiError { return kvFail(http.StatusBadRequest, codeKVBody, "put", text) }
	form := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	found := false
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, bad("could not parse the form: " + err.Error())
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, bad("could not parse the form: " + err.Error())
		}
		switch part.FormName() {
		case "value":
			value, found = data, true
		case "metadata":
			metadata = data
		}
	}
	if !found {
		return nil, nil, bad("the form has no part named value")
	}
	return value, metadata, nil
}

func (s *Server) deleteValue(c *call) *apiError {
	ns, apiErr := s.namespace(c, "remove key")
	if apiErr != nil {
		return apiErr
	}
	if err := ns.Delete(c.Context(), c.key); err != nil {
		return s.kvError(c.Context(), "remove key", err)
	}
	writeResult(c.w, nil, nil)
	return nil
}
