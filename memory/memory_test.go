package memory_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/memory"
)

func TestObjectNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		"1": 1.0, "-0.5": -0.5, "1e3": 1000.0, "0.1": 0.1, "0.30000000000000004": 0.30000000000000004,
		"9007199254740992": 9007199254740992.0, "9007199254740993": json.Number("9007199254740993"),
		"12345678901234567890": json.Number("12345678901234567890"), "1e999": json.Number("1e999"),
		"0.12345678901234567890123": json.Number("0.12345678901234567890123"),
	} {
		var o memory.Object
		if err := json.Unmarshal([]byte(`{"n":`+text+`,"in":[{"n":`+text+`}]}`), &o); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(memory.Object{"n": want, "in": []any{map[string]any{"n": want}}}, o); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestMergeContent(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{`{"b":1,"a":2}`, `{"a":3,"c":4}`, `{"b":1,"a":3,"c":4}`},
		{`{"metadata":{"x":1,"y":{"z":1}}}`, `{"metadata":{"y":{},"w":null}}`, `{"metadata":{"x":1,"y":{},"w":null}}`},
		{`{"metadata":null}`, `{"metadata":{"y":1}}`, `{"metadata":{"y":1}}`},
		{`{"metadata":{"x":1}}`, `{"metadata":5}`, `{"metadata":5}`},
		{`"text"`, `{"a":12345678901234567890}`, `{"a":12345678901234567890}`},
		{`{"k\"\u00e9":1}`, `{"k\"é":2}`, `{"k\"é":2}`},
		{`{}`, `{}`, `{}`},
	} {
		got, err := memory.MergeContent(json.RawMessage(c[0]), json.RawMessage(c[1]))
		if err != nil || string(got) != c[2] {
			t.Errorf("%s with %s: %s, error %v; want %s", c[0], c[1], got, err, c[2])
		}
	}
	if _, err := memory.MergeContent(json.RawMessage(`{}`), json.RawMessage(`[1]`)); err == nil {
		t.Error("a list is merged")
	}
}

func FuzzMergeContent(f *testing.F) {
	f.Add(`{"a":1,"metadata":{"b":[]}}`, `{"metadata":{"b":null}}`)
	f.Add(`"x"`, `{"\ud800":1}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) {
			t.Skip()
		}
		got, err := memory.MergeContent(json.RawMessage(a), json.RawMessage(b))
		if err == nil && !json.Valid(got) {
			t.Errorf("%s with %s is %s", a, b, got)
		}
	})
}

func TestParseContent(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		`"of old"`: "of old",
		`[{"type":"text","text":"a"},{"type":"tool-call","toolName":"x"},{"type":"text","text":"b"}]`: "ab",
		`{"format":2,"parts":[{"type":"text","text":"a","x":1}],"content":"b"}`:                       "a",
		`{"format":2,"parts":[],"content":"b"}`:                                                       "b",
		string(memory.TextContent("é \xff <")):                                                        "é \uFFFD <",
	} {
		c, err := memory.ParseContent(json.RawMessage(content))
		if err != nil || c.String() != want {
			t.Errorf("%s: %q, error %v", content, c, err)
		}
	}
	for _, content := range []string{`{"format":3}`, `5`, `{"format":2,"parts":"x"}`, `null`} {
		if c, err := memory.ParseContent(json.RawMessage(content)); err == nil {
			t.Errorf("%s is read as %+v", content, c)
		}
	}
	c, err := memory.ParseContent(json.RawMessage(`{"format":2,"parts":[{"type":"data-x","n":1}]}`))
	if err != nil || string(c.Parts[0].Raw) != `{"type":"data-x","n":1}` {
		t.Errorf("%+v, error %v", c, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	if err := memory.NotFound("thread", "t"); !errors.Is(err, memory.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if err := memory.Exists("thread", "t"); !errors.Is(err, memory.ErrExists) || !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if err := memory.CheckID("it", "\t"); !errors.Is(err, memory.ErrInvalid) {
		t.Error(err)
	}
}
