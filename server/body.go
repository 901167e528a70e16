package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/jsjson"
)

// maxDepth is how deep a body's arrays and objects may be; the deepest that means
// something is 5.
const maxDepth = 64

// readBody reads a request's JSON.
func (s *Server) readBody(c *call) ([]byte, *apiError) {
	body, apiErr := s.readAll(c)
	return bytes.TrimPrefix(body, []byte("\uFEFF")), apiErr
}

// readAll reads a request's body.
func (s *Server) readAll(c *call) ([]byte, *apiError) {
	tooLarge := fail(http.StatusRequestEntityTooLarge, codeMalformed,
		fmt.Sprintf("The request is malformed: the body is larger than %d bytes", s.cfg.MaxBodyBytes))
	if c.ContentLength > s.cfg.MaxBodyBytes {
		c.w.Header().Set("Connection", "close")
		return nil, tooLarge
	}
	// A length that was promised is not believed beyond 1 MiB until it comes.
	body := bytes.NewBuffer(make([]byte, 0, min(max(c.ContentLength+1, 512), 1<<20)))
	_, err := body.ReadFrom(http.MaxBytesReader(c.w, c.Body, s.cfg.MaxBodyBytes))
	if err == nil {
		// From here on the connection is only watched for its end.
		_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
		return body.Bytes(), nil
	}
	// The rest of the body is not waited for.
	c.w.Header().Set("Connection", "close")
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, malformed(jsjson.ErrTruncated.Error())
	}
	return nil, malformed("the body could not be read")
}

// decoder reads a body. A body that is no JSON is refused for that, whatever else is
// wrong with it; else the first thing that is wrong counts.
type decoder struct {
	*jsjson.Reader
	bad *apiError
}

func newDecoder(data []byte) *decoder {
	return &decoder{Reader: jsjson.NewReader(data, maxDepth)}
}

func (d *decoder) refuse(e *apiError) {
	if d.bad == nil {
		d.bad = e
	}
}

// object reads the body, which must be an object.
func (d *decoder) object(member func(key string)) {
	if kind := d.Kind(); kind != jsjson.Object {
		d.Skip()
		d.refuse(malformed(fmt.Sprintf("Expected object, received %s", kind)))
		return
	}
	d.Object(member)
}

// done returns what was wrong with the body.
func (d *decoder) done() *apiError {
	if err := d.End(); err != nil {
		return malformed(err.Error())
	}
	return d.bad
}

// expect reports whether the next value is of a kind; if not, it is skipped and refused.
func (d *decoder) expect(path string, want jsjson.Kind) bool {
	got := d.Kind()
	if got == want {
		return true
	}
	d.Skip()
	d.refuse(invalidProperty(path, fmt.Sprintf("Expected %s, received %s", want, got)))
	return false
}

// text reads a string.
func (d *decoder) text(path string) string {
	if !d.expect(path, jsjson.String) {
		return ""
	}
	return d.String()
}

// oneOf reads a string that must be one of a few, or null, which counts as absent.
func (d *decoder) oneOf(path string, values ...string) string {
	if d.Kind() == jsjson.Null {
		d.Null()
		return ""
	}
	if !d.expect(path, jsjson.String) {
		return ""
	}
	got := d.String()
	for _, value := range values {
		if got == value {
			return got
		}
	}
	d.refuse(invalidProperty(path, fmt.Sprintf("Invalid enum value. Expected '%s', received '%s'",
		strings.Join(values, "' | '"), got)))
	return ""
}

// statementBody is one "sql" with its "params".
type statementBody struct {
	sql       string
	params    []any
	hasSQL    bool
	hasParams bool
}

// readQuery reads the body of query and raw, in either of its forms.
func readQuery(data []byte) ([]statementBody, *apiError) {
	d := newDecoder(data)
	var single statementBody
	var batch []statementBody
	isBatch := false
	d.object(func(key string) {
		switch key {
		case "batch":
			isBatch = true
			batch = d.batch()
		default:
			d.member(key, "", &single)
		}
	})
	switch {
	case isBatch && single.hasSQL:
		d.refuse(malformed("sql and batch exclude each other"))
	case isBatch && single.hasParams:
		d.refuse(malformed("params belongs to the elements of batch"))
	case isBatch:
		return batch, d.done()
	case !single.hasSQL:
		d.refuse(invalidProperty("sql", "Required"))
	}
	return []statementBody{single}, d.done()
}

func (d *decoder) batch() []statementBody {
	var all []statementBody
	if !d.expect("batch", jsjson.Array) {
		return nil
	}
	d.Array(func(i int) {
		path := "batch." + strconv.Itoa(i)
		if !d.expect(path, jsjson.Object) {
			return
		}
		var st statementBody
		d.Object(func(key string) { d.member(key, path+".", &st) })
		if !st.hasSQL {
			d.refuse(invalidProperty(path+".sql", "Required"))
		}
		all = append(all, st)
	})
	return all
}

func (d *decoder) member(key, path string, st *statementBody) {
	switch key {
	case "sql":
		st.hasSQL = true
		st.sql = d.text(path + "sql")
	case "params":
		st.hasParams = true
		st.params = d.params(path + "params")
	default:
		d.Skip()
	}
}

// params reads arguments. Those behind the first that are too many are read and
// dropped: one too many is an error as good as millions.
func (d *decoder) params(path string) []any {
	var args []any
	if !d.expect(path, jsjson.Array) {
		return nil
	}
	d.Array(func(i int) {
		if i > d1.MaxParams {
			d.Skip()
			return
		}
		args = append(args, d.param(path, i))
	})
	return args
}

// param reads an argument. Every number is a double, as JavaScript has no other, and
// so are true and false, which D1 binds as 1 and 0.
func (d *decoder) param(path string, i int) any {
	switch d.Kind() {
	case jsjson.String:
		return d.String()
	case jsjson.Number:
		return d.Number()
	case jsjson.Boolean:
		if d.Bool() {
			return 1.0
		}
		return 0.0
	case jsjson.Array:
		return d.blob(path + "." + strconv.Itoa(i))
	case jsjson.Object:
		d.Skip()
		d.refuse(invalidProperty(path+"."+strconv.Itoa(i), "Expected string, received object"))
		return nil
	}
	d.Null()
	return nil
}

// blob reads an array of bytes.
func (d *decoder) blob(path string) []byte {
	blob := []byte{}
	d.Array(func(i int) {
		if kind := d.Kind(); kind != jsjson.Number {
			d.Skip()
			d.refuse(invalidProperty(path+"."+strconv.Itoa(i), fmt.Sprintf("Expected number, received %s", kind)))
			return
		}
		n := d.Number()
		detail := ""
		switch {
		case n < 0:
			detail = "Number must be greater than or equal to 0"
		case n > math.MaxUint8:
			detail = "Number must be less than or equal to 255"
		case n != math.Trunc(n):
			detail = "Expected integer, received float"
		default:
			blob = append(blob, byte(n))
			return
		}
		d.refuse(invalidProperty(path+"."+strconv.Itoa(i), detail))
	})
	return blob
}

// createBody is what a new database is to be.
type createBody struct {
	name, hint, jurisdiction, replication string
}

// maxNameBytes bounds a name where the published schema sets no bound.
const maxNameBytes = 255

var strictName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]*$`)

func (s *Server) readCreate(data []byte) (want createBody, apiErr *apiError) {
	d := newDecoder(data)
	named := false
	d.object(func(key string) {
		switch key {
		case "name":
			named = true
			if d.expect("name", jsjson.String) {
				want.name = d.String()
				d.checkName(want.name, s.cfg.Switches.StrictNames)
			}
		case "primary_location_hint":
			want.hint = d.oneOf(key, "wnam", "enam", "weur", "eeur", "apac", "oc")
		case "jurisdiction":
			want.jurisdiction = d.oneOf(key, "eu", "fedramp", "us")
		case "read_replication":
			want.replication = d.replication(false)
		default:
			d.Skip()
		}
	})
	if !named {
		d.refuse(invalidProperty("name", "Required"))
	}
	return want, d.done()
}

func (d *decoder) checkName(name string, strict bool) {
	switch {
	case name == "":
		d.refuse(invalidProperty("name", "String must contain at least 1 character(s)"))
	case len(name) > maxNameBytes:
		d.refuse(invalidProperty("name", fmt.Sprintf("String must contain at most %d character(s)", maxNameBytes)))
	case strict && !strictName.MatchString(name), strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }):
		d.refuse(invalidProperty("name", "Invalid"))
	}
}

// replication reads read_replication and returns its mode.
func (d *decoder) replication(required bool) (mode string) {
	if !required && d.Kind() == jsjson.Null {
		d.Null()
		return ""
	}
	if !d.expect("read_replication", jsjson.Object) {
		return ""
	}
	found := false
	d.Object(func(key string) {
		if key != "mode" {
			d.Skip()
			return
		}
		found = true
		if d.Kind() == jsjson.Null {
			d.expect("read_replication.mode", jsjson.String)
			return
		}
		mode = d.oneOf("read_replication.mode", "auto", "disabled")
	})
	if !found {
		d.refuse(invalidProperty("read_replication.mode", "Required"))
	}
	return mode
}

// readUpdate returns the mode of read replication that a database is to have, or ""
// to leave it.
func readUpdate(data []byte, required bool) (mode string, apiErr *apiError) {
	d := newDecoder(data)
	found := false
	d.object(func(key string) {
		if key != "read_replication" {
			d.Skip()
			return
		}
		found = true
		mode = d.replication(required)
	})
	if required && !found {
		d.refuse(invalidProperty("read_replication", "Required"))
	}
	return mode, d.done()
}
