package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/inline"
	"github.com/skylite-go/skylite/internal/jsjson"
)

var nowhere = sync.OnceValue(func() *cloudflare.Client {
	client, err := cloudflare.New(cloudflare.Config{BaseURL: "http://127.0.0.1:1", APIToken: "some-token"})
	if err != nil {
		panic(err)
	}
	return client
})

// decoder returns a cursor over an answer to n statements that read.
func decoder(tb testing.TB, body io.Reader, n int) *cursor {
	tb.Helper()
	p := &plan{statements: make([]inline.Statement, n), call: cloudflare.Call{Class: cloudflare.ClassRead}}
	return newCursor(p, nowhere(), &http.Response{StatusCode: 200, Body: io.NopCloser(body)})
}

// result is what a test sees of one result.
type result struct {
	Columns []string
	Rows    [][]any
	Meta    d1.Meta
}

// readResults reads everything.
func readResults(c *cursor) ([]result, error) {
	var all []result
	r := d1.NewResults(c)
	for r.NextResult() {
		one := result{Columns: r.Columns()}
		for r.Next() {
			row := make([]any, 0, len(one.Columns))
			for _, v := range r.Row() {
				row = append(row, anyOf(v))
			}
			one.Rows = append(one.Rows, row)
		}
		one.Meta = r.Meta()
		all = append(all, one)
	}
	return all, r.Close()
}

type rounded float64

func anyOf(v d1.Value) any {
	value, err := v.Any()
	if e, ok := errors.AsType[*d1.InexactError](err); ok {
		return rounded(e.Float)
	}
	return value
}

// around returns an answer with one result.
func around(results string) string {
	return `{"result":[{"results":` + results + `,"success":true,"meta":{}}],"success":true,"errors":[],"messages":[]}`
}

func TestDecodeValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		json string
		want any
	}{
		{`0`, int64(0)}, {`-0`, int64(0)}, {`1`, int64(1)}, {`-17`, int64(-17)},
		{`9007199254740991`, int64(1<<53 - 1)}, {`-9007199254740991`, int64(-1<<53 + 1)},
		{`9007199254740992`, rounded(1 << 53)}, {`-9007199254740992`, rounded(-1 << 53)},
		{`9007199254740994`, rounded(1<<53 + 2)}, {`-9007199254740994`, rounded(-1<<53 - 2)},
		{`123456789012345680`, rounded(123456789012345680)},
		{`9223372036854776000`, rounded(1 << 63)}, {`-9223372036854776000`, rounded(-1 << 63)},
		{`9223372036854778000`, 9223372036854778000.0}, {`100000000000000000000`, 1e20},
		{`1e+21`, 1e21}, {`1E21`, 1e21}, {`-1.5e-7`, -1.5e-7}, {`0.1`, 0.1}, {`1.0`, 1.0}, {`5e-324`, 5e-324},
		{`1e999`, math.Inf(1)},
		{`null`, nil}, {`true`, int64(1)}, {`false`, int64(0)},
		{`""`, ""}, {`"a"`, "a"}, {`"a\"b\\c\/d\b\f\n\r\t"`, "a\"b\\c/d\b\f\n\r\t"},
		{`"\u0041\u00e9\u20ac\u0000"`, "Aé€\x00"}, {`"\ud83d\ude48!"`, "🙈!"}, {`"🙈"`, "🙈"},
		{`"\ud83d"`, "\ufffd"}, {`"\ud83dx"`, "\ufffdx"}, {`"\ud83d\n"`, "\ufffd\n"},
		{`"\ud83d\u0041"`, "\ufffdA"}, {`"\ud83d\ud83d\ude48"`, "\ufffd🙈"}, {`"\ude48"`, "\ufffd"},
		{`[]`, []byte{}}, {`[0]`, []byte{0}}, {`[1,2,255]`, []byte{1, 2, 255}}, {`[ 1 , 2 ]`, []byte{1, 2}},
	} {
		body := around(`{"columns":["a","b","c"],"rows":[["before",` + test.json + `,[7]],[` + test.json + `,"x",2]]}`)
		want := [][]any{{"before", test.want, []byte{7}}, {test.want, "x", int64(2)}}
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(body),
			"bytes": iotest.OneByteReader(strings.NewReader(body)), "halves": iotest.HalfReader(strings.NewReader(body)),
			"early end": iotest.DataErrReader(strings.NewReader(body))} {
			got, err := readResults(decoder(t, r, 1))
			if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Rows, want) {
				t.Errorf("%s, %s: got %v, %v", test.json, name, got, err)
			}
		}
	}
}

func TestDecodeShapes(t *testing.T) {
	t.Parallel()
	live := `{"result":[{"results":{"columns":["id","a","a"],"rows":[[1,"x",null],[2,"y",2.5]]},"success":true,
		"meta":{"served_by":"v3-prod","served_by_region":"APAC","served_by_colo":"SIN","served_by_primary":true,
		"timings":{"sql_duration_ms":0.25},"duration":0.25,"changes":0,"last_row_id":3,"changed_db":false,
		"size_after":16384,"rows_read":1,"rows_written":0,"total_attempts":1}}],
		"success":true,"errors":[],"messages":[]}`
	full, err := readResults(decoder(t, strings.NewReader(live), 1))
	if err != nil {
		t.Fatal(err)
	}
	want := []result{{Columns: []string{"id", "a", "a"}, Rows: [][]any{{int64(1), "x", nil}, {int64(2), "y", 2.5}},
		Meta: d1.Meta{ServedBy: "v3-prod", ServedByRegion: "APAC", ServedByColo: "SIN", ServedByPrimary: true,
			Duration: 250_000, LastRowID: 3, SizeAfter: 16384, RowsRead: 1, TotalAttempts: 1}}}
	if !reflect.DeepEqual(full, want) {
		t.Errorf("got %+v", full)
	}
	one := [][]any{{int64(1)}}
	for name, test := range map[string]struct {
		body string
		want [][]any
	}{
		"errors first":   {`{"errors":[],"messages":[],"success":true,"result":[{"meta":{},"success":true,"results":{"columns":["a"],"rows":[[1]]}}]}`, one},
		"rows first":     {around(`{"rows":[[1]],"columns":["a"]}`), one},
		"no columns":     {around(`{"columns":[],"rows":[]}`), nil},
		"empty array":    {around(`[]`), nil},
		"null":           {around(`null`), nil},
		"unknown keys":   {around(`{"x":{"rows":[["]"]]},"columns":["a"],"y":[1,{"z":"}"}],"rows":[[1]],"q":-1.5e3}`), one},
		"white space":    {" {\n\"result\" : [ { \"results\" : { \"columns\" : [ \"a\" ] , \"rows\" : [ [ 1 ] ] } } ] , \"success\" : true } \r\n", one},
		"escaped column": {around(`{"columns":["\u0061\""],"rows":[[1]]}`), one},
	} {
		got, err := readResults(decoder(t, strings.NewReader(test.body), 1))
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Rows, test.want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		if name == "escaped column" && got[0].Columns[0] != `a"` {
			t.Errorf("got the columns %q", got[0].Columns)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	t.Parallel()
	good := around(`{"columns":["a"],"rows":[["x"],[[1,2]]]}`)
	for i := range len(good) {
		_, err := readResults(decoder(t, strings.NewReader(good[:i]), 1))
		e, ok := errors.AsType[*d1.Error](err)
		if !ok || !e.Transient || !errors.Is(err, io.ErrUnexpectedEOF) || e.Outcome != d1.OutcomeRefused {
			t.Fatalf("cut after %d bytes: got %+v", i, err)
		}
	}
	for name, body := range map[string]string{
		"element fails": `{"result":[{"success":false,"error":"boom: SQLITE_ERROR"}],"success":true}`,
		"success false": `{"result":[],"success":false,"errors":[{"code":7500,"message":"boom: SQLITE_ERROR"}]}`,
		"no result":     `{"result":null,"success":false,"errors":[{"code":7500,"message":"boom: SQLITE_ERROR"}]}`,
	} {
		_, err := readResults(decoder(t, strings.NewReader(body), 1))
		if e, ok := errors.AsType[*d1.Error](err); !ok || e.Code != 1 || e.Statement != 0 {
			t.Errorf("%s: got %+v", name, err)
		}
	}
	for name, body := range map[string]string{
		"no JSON":         `<html>`,
		"no object":       `[]`,
		"empty object":    `{}`,
		"string result":   `{"result":"x","success":true}`,
		"too few":         `{"result":[],"success":true}`,
		"too many":        `{"result":[{},{}],"success":true}`,
		"more values":     around(`{"columns":["a"],"rows":[[1,2]]}`),
		"fewer values":    around(`{"columns":["a"],"rows":[[]]}`),
		"object value":    around(`{"columns":["a"],"rows":[[{}]]}`),
		"row no array":    around(`{"columns":["a"],"rows":[1]}`),
		"rows no array":   around(`{"columns":["a"],"rows":1}`),
		"objects":         around(`[{"a":1}]`),
		"bad number":      around(`{"columns":["a"],"rows":[[1.2.3]]}`),
		"minus":           around(`{"columns":["a"],"rows":[[-]]}`),
		"bad word":        around(`{"columns":["a"],"rows":[[nul]]}`),
		"big byte":        around(`{"columns":["a"],"rows":[[[256]]]}`),
		"negative byte":   around(`{"columns":["a"],"rows":[[[-1]]]}`),
		"real byte":       around(`{"columns":["a"],"rows":[[[1.5]]]}`),
		"text in blob":    around(`{"columns":["a"],"rows":[[["x"]]]}`),
		"bad escape":      around(`{"columns":["a"],"rows":[["\x"]]}`),
		"bad hex":         around(`{"columns":["a"],"rows":[["\u12g4"]]}`),
		"columns numbers": around(`{"columns":[1],"rows":[]}`),
		"meta wrong":      `{"result":[{"meta":7}],"success":true}`,
		"deep":            `{"x":` + strings.Repeat("[", 100_000),
		"trailing":        around(`null`) + "x",
	} {
		_, err := readResults(decoder(t, strings.NewReader(body), 1))
		if e, ok := errors.AsType[*d1.Error](err); !ok || e.Message == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDecodeHuge(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789 äöü \"\\\n", 200_000)
	blob := bytes.Repeat([]byte{0, 9, 10, 99, 100, 255}, 300_000)
	var b []byte
	b = appendString(append(b, `{"columns":["t","b","n"],"rows":[[`...), text)
	b = append(jsjson.AppendBlob(append(b, ','), blob), ",1]]}"...)
	rows := func() [][]any {
		got, err := readResults(decoder(t, iotest.HalfReader(strings.NewReader(around(string(b)))), 1))
		if err != nil || len(got) != 1 || len(got[0].Rows) != 1 {
			t.Fatal(err)
		}
		return got[0].Rows
	}()
	if rows[0][0] != text || !bytes.Equal(rows[0][1].([]byte), blob) || rows[0][2] != int64(1) {
		t.Error("the values came back changed")
	}
	_, err := readResults(decoder(t, io.MultiReader(strings.NewReader(`{"result":[{"results":{"columns":["a"],"rows":[["`), zeros{}), 1))
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("an endless value gives %v", err)
	}
}

// zeros is an endless text.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(around(`{"columns":["a","b"],"rows":[["x\u0041\ud83d\ude48",[1,255]],[-1.5e3,null]]}`)))
	f.Add([]byte(around(`{"rows":[[9223372036854776000]],"columns":["\n"]}`)))
	f.Add([]byte(`{"result":[{"success":false,"error":"x"}],"success":false,"errors":[{"code":1,"message":"m"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		whole, err := readResults(decoder(t, bytes.NewReader(body), 1))
		pieces, err2 := readResults(decoder(t, iotest.OneByteReader(bytes.NewReader(body)), 1))
		if (err == nil) != (err2 == nil) || fmt.Sprint(whole) != fmt.Sprint(pieces) {
			t.Fatalf("whole: %v, %v\nbyte by byte: %v, %v", whole, err, pieces, err2)
		}
		before := bytes.Clone(body)
		c := decoder(t, nil, 1)
		c.in = reader{buf: body, w: len(body)}
		for c.NextResult() {
		}
		if !bytes.Equal(before, body) {
			t.Fatal("skipping changes the body")
		}
		if err == nil && c.Err() != nil {
			t.Fatalf("reading succeeds, but skipping gives %v", c.Err())
		}
		if err == nil && len(whole) == 1 {
			compare(t, body, whole[0])
		}
	})
}

// compare checks a result against encoding/json where that reads it too.
func compare(t *testing.T, body []byte, got result) {
	var e struct {
		Result []struct {
			Results struct {
				Columns []string `json:"columns"`
				Rows    [][]any  `json:"rows"`
			} `json:"results"`
		} `json:"result"`
	}
	if json.Unmarshal(body, &e) != nil || len(e.Result) != 1 || len(e.Result[0].Results.Rows) != len(got.Rows) {
		return
	}
	for i, row := range e.Result[0].Results.Rows {
		for j, want := range row {
			if s, ok := want.(string); ok && j < len(got.Rows[i]) && got.Rows[i][j] != s && strings.ToValidUTF8(fmt.Sprint(got.Rows[i][j]), "") == fmt.Sprint(got.Rows[i][j]) {
				t.Fatalf("row %d, column %d: got %q, encoding/json %q", i, j, got.Rows[i][j], s)
			}
		}
	}
}

// sample is an answer with rows of an integer, a text, a real, a text and an
// integer or null, about 61 bytes each.
func sample(rows int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"result":[{"results":{"columns":["id","name","score","mail","parent"],"rows":[`)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		parent := "null"
		if i%2 == 0 {
			parent = fmt.Sprint(i / 2)
		}
		fmt.Fprintf(&b, `[%d,"customer %d",%g,"customer%d@example.com",%s]`, i, i, float64(i)*1.25+0.5, i, parent)
	}
	b.WriteString(`]},"success":true,"meta":{"served_by":"v3-prod","duration":0.2,"changes":0,"last_row_id":0,` +
		`"changed_db":false,"size_after":16384,"rows_read":1,"rows_written":0}}],"success":true,"errors":[],"messages":[]}`)
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	for _, rows := range []int{1, 100, 10_000} {
		body := sample(rows)
		b.Run(fmt.Sprintf("rows=%d/floor=ReadAll", rows), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				io.ReadAll(bytes.NewReader(body))
			}
		})
		b.Run(fmt.Sprintf("rows=%d/decode", rows), func(b *testing.B) {
			proto := decoder(b, nil, 1)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				proto.resp.Body = io.NopCloser(bytes.NewReader(body))
				c := newCursor(proto.plan, proto.client, proto.resp)
				n := 0
				for c.NextResult() {
					for c.Next() {
						n += len(c.Row())
					}
				}
				if c.err != nil || n != 5*rows {
					b.Fatal(n, c.err)
				}
			}
		})
	}
}

// TestQuickMeta: what is read quickly is what is read by the rules, and the usual is.
func TestQuickMeta(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		meta  string
		quick bool
	}{
		{`{"served_by":"v3-prod","served_by_region":"WEUR","served_by_colo":"AMS","served_by_primary":true,` +
			`"timings":{"sql_duration_ms":0.2137},"duration":0.2137,"changes":3,"last_row_id":9007199254740991,` +
			`"changed_db":true,"size_after":16384,"rows_read":7,"rows_written":2,"total_attempts":1}`, true},
		{` { "duration" : 12 , "changed_db" : false , "last_row_id" : -5 } `, true},
		{`{}`, true},
		{`{"duration":1e-7}`, true},
		{`{"new":1,"changes":2}`, false},
		{`{"served_by":"v3\u002dprod"}`, false},
		{`{"last_row_id":9223372036854775807}`, false},
		{`{"changes":1.0}`, false},
		{`{"changes":null,"served_by":null}`, false},
		{`{"changes":"1"}`, false},
		{`{"changed_db":"x"}`, false},
		{`[]`, false},
	} {
		var quick, slow d1.Meta
		ok := quickMeta(bytes.TrimSpace([]byte(tt.meta)), &quick)
		if ok != tt.quick {
			t.Errorf("%s: quick %v", tt.meta, ok)
		}
		if err := json.Unmarshal([]byte(tt.meta), &slow); ok && (err != nil || quick != slow) {
			t.Errorf("%s: got %+v, want %+v, %v", tt.meta, quick, slow, err)
		}
	}
}

// TestFractions: what is divided is what is parsed.
func TestFractions(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		whole, places := dice.IntN(16)+1, dice.IntN(17)+1
		text := []byte{'-'}[:dice.IntN(2)]
		for i := range whole + 1 + places {
			if i == whole {
				text = append(text, '.')
				continue
			}
			text = append(text, byte('0'+dice.IntN(10)))
		}
		want, err := strconv.ParseFloat(string(text), 64)
		if err != nil {
			t.Fatal(err)
		}
		d := reader{buf: append(text, ','), w: len(text) + 1}
		got, ok := d.number().Float64()
		if !ok || d.err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s: got %v", text, got)
		}
	}
}
