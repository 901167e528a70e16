package memory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Object is a JSON object: a thread's metadata, for instance. Numbers in it are float64,
// or json.Number where a float64 would be another number.
type Object map[string]any

// UnmarshalJSON reads an object, or null as nil.
func (o *Object) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		return err
	}
	for key, value := range values {
		values[key] = number(value)
	}
	*o = values
	return nil
}

// number turns the numbers in a value that float64 can hold into those.
func number(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err == nil && exact(string(v), f) {
			return f
		}
	case map[string]any:
		for key, value := range v {
			v[key] = number(value)
		}
	case []any:
		for i, value := range v {
			v[i] = number(value)
		}
	}
	return v
}

// exact reports whether a number's text is what its float64 stands for: not more digits
// than that can tell apart.
func exact(text string, f float64) bool {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n >= -1<<53 && n <= 1<<53
	}
	digits := 0
	for _, c := range text {
		if c == 'e' || c == 'E' {
			break
		}
		if c >= '0' && c <= '9' && (digits > 0 || c != '0') {
			digits++
		}
	}
	if digits <= 15 {
		return true
	}
	shortest := strconv.FormatFloat(f, 'g', -1, 64)
	return digits <= 17 && len(shortest) > 0 && sameNumber(text, shortest)
}

func sameNumber(a, b string) bool {
	digits := func(s string) string {
		var out []byte
		for i := range len(s) {
			if s[i] == 'e' || s[i] == 'E' {
				break
			}
			if s[i] >= '0' && s[i] <= '9' && (len(out) > 0 || s[i] != '0') {
				out = append(out, s[i])
			}
		}
		return string(bytes.TrimRight(out, "0"))
	}
	return digits(a) == digits(b)
}

// EncodeJSON returns a value as JSON, without the escapes that only HTML needs. What
// cannot be JSON, and a text that is not valid UTF-8, is an error.
func EncodeJSON(v any) (json.RawMessage, error) {
	if err := checkTexts(v); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// checkTexts finds a text that encoding/json would change in silence.
func checkTexts(v any) error {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return fmt.Errorf("the text %.40q is not valid UTF-8", v)
		}
	case Object:
		return checkTexts(map[string]any(v))
	case map[string]any:
		for key, value := range v {
			if err := checkTexts(key); err != nil {
				return err
			}
			if err := checkTexts(value); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range v {
			if err := checkTexts(value); err != nil {
				return err
			}
		}
	}
	return nil
}
