package d1_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
)

type (
	myInt   int32
	myUint  uint8
	myFloat float32
	myBool  bool
	myText  string
	myBytes []byte
)

// valuer gives what it holds, or fails if that is an error.
type valuer struct{ value any }

func (v valuer) Value() (driver.Value, error) {
	if err, ok := v.value.(error); ok {
		return nil, err
	}
	return v.value, nil
}

// nilValuer has a value of its own even as a nil pointer.
type nilValuer struct{}

func (*nilValuer) Value() (driver.Value, error) { return "nil is fine", nil }

func TestArg(t *testing.T) {
	t.Parallel()
	text, none := "x", (*string)(nil)
	pointer := &text
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", -3600))
	for _, tt := range []struct {
		name      string
		arg, want any
	}{
		{"nil", nil, nil}, {"int64", int64(5), int64(5)}, {"int", 5, int64(5)}, {"int8", int8(-5), int64(-5)},
		{"uint64", uint64(math.MaxInt64), int64(math.MaxInt64)}, {"float64", 1.5, 1.5}, {"float32", float32(0.5), 0.5},
		{"true", true, int64(1)}, {"false", false, int64(0)}, {"string", "é", "é"}, {"bytes", []byte{1}, []byte{1}},
		{"empty bytes", []byte{}, []byte{}}, {"nil bytes", []byte(nil), nil}, {"time", at, "2026-01-02T04:04:05.000006000Z"},
		{"named int", myInt(3), int64(3)}, {"named uint", myUint(3), int64(3)}, {"named float", myFloat(3), 3.0},
		{"named bool", myBool(true), int64(1)}, {"named string", myText("a"), "a"}, {"named bytes", myBytes("a"), []byte("a")},
		{"duration", time.Second, int64(1e9)}, {"pointer", pointer, "x"}, {"pointer to pointer", &pointer, "x"}, {"nil pointer", none, nil},
		{"NullString", sql.NullString{String: "a", Valid: true}, "a"}, {"no NullString", sql.NullString{}, nil},
		{"Null", sql.Null[int32]{V: 4, Valid: true}, int64(4)},
		{"valuer of a time", valuer{at}, "2026-01-02T04:04:05.000006000Z"}, {"valuer of nil", valuer{}, nil},
		{"nil pointer to a valuer", (*valuer)(nil), nil}, {"nil valuer", (*nilValuer)(nil), "nil is fine"},
		{"raw JSON", json.RawMessage(`{}`), []byte(`{}`)},
	} {
		got, err := d1.Arg(tt.arg)
		if err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("%s: got %#v, %v; want %#v", tt.name, got, err, tt.want)
		}
	}
	for _, tt := range []struct {
		name string
		arg  any
		want string
	}{
		{"NaN", math.NaN(), "cannot carry NaN"}, {"infinity", math.Inf(-1), "cannot carry -Inf"},
		{"infinity as float32", float32(math.Inf(1)), "cannot carry"}, {"invalid UTF-8", "\xff", "not valid UTF-8"},
		{"named invalid UTF-8", myText("\xff"), "not valid UTF-8"}, {"large uint64", uint64(1 << 63), "larger than"},
		{"struct", struct{}{}, "unsupported type struct"}, {"map", map[string]int{}, "unsupported type"}, {"ints", []int{1}, "unsupported type"},
		{"func", func() {}, "unsupported type"}, {"array", [2]byte{}, "unsupported type"},
		{"failing valuer", valuer{errors.New("no value")}, "no value"}, {"valuer of a valuer", valuer{valuer{1}}, "another driver.Valuer"},
		{"late year", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "the year 10000"},
		{"early year", time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "the year -1"},
	} {
		if got, err := d1.Arg(tt.arg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func to[T any]() func() any { return func() any { return new(T) } }

func TestConvert(t *testing.T) {
	t.Parallel()
	integer, realNumber, text, blob, null := d1.Integer, d1.Real, func(s string) d1.Value { return d1.Text([]byte(s)) }, d1.Blob, d1.Null()
	five, at := int64(5), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		dest  func() any
		value d1.Value
		want  any // what dest points to, or a part of the error's text
		fails bool
	}{
		{"int64", to[int64](), integer(math.MinInt64), int64(math.MinInt64), false},
		{"int", to[int](), integer(5), 5, false},
		{"int8", to[int8](), integer(-128), int8(-128), false},
		{"int8 overflow", to[int8](), integer(128), "128 does not fit into int8", true},
		{"uint", to[uint](), integer(5), uint(5), false},
		{"uint of a negative", to[uint](), integer(-1), "-1 does not fit", true},
		{"uint8 overflow", to[uint8](), integer(256), "does not fit", true},
		{"named int", to[myInt](), integer(5), myInt(5), false},
		{"whole real as int", to[int](), realNumber(5), 5, false},
		{"real as int", to[int](), realNumber(5.5), "5.5 is no integer", true},
		{"large real as int", to[int64](), realNumber(1e300), "is no integer", true},
		{"text as int", to[int](), text("5"), "a text is no integer", true},
		{"rounded integer as int", to[int64](), d1.RoundedInteger(1 << 54), "beyond 2^53", true},
		{"rounded integer as float", to[float64](), d1.RoundedInteger(1 << 54), float64(1 << 54), false},
		{"rounded integer as any", to[any](), d1.RoundedInteger(1 << 54), "CAST(column AS TEXT)", true},
		{"rounded integer as string", to[string](), d1.RoundedInteger(1 << 54), "beyond 2^53", true},
		{"float64", to[float64](), realNumber(1.5), 1.5, false},
		{"float64 of an integer", to[float64](), integer(5), 5.0, false},
		{"float32", to[float32](), realNumber(0.5), float32(0.5), false},
		{"float32 overflow", to[float32](), realNumber(1e300), "does not fit into float32", true},
		{"float64 of a text", to[float64](), text("1.5"), "no number", true},
		{"bool", to[bool](), integer(1), true, false},
		{"bool of 2", to[bool](), integer(2), "only 0 and 1", true},
		{"named bool", to[myBool](), realNumber(0), myBool(false), false},
		{"string", to[string](), text("é"), "é", false},
		{"string of a blob", to[string](), blob([]byte("b")), "b", false},
		{"string of an integer", to[string](), integer(-5), "-5", false},
		{"string of a whole real", to[string](), realNumber(2), "2.0", false},
		{"string of a large real", to[string](), realNumber(1234567.0), "1234567.0", false},
		{"string of a larger real", to[string](), realNumber(1e17), "1.0e+17", false},
		{"string of a small real", to[string](), realNumber(1.5e-5), "1.5e-05", false},
		{"string of zero", to[string](), realNumber(math.Copysign(0, -1)), "0.0", false},
		{"string of infinity", to[string](), realNumber(math.Inf(-1)), "-Inf", false},
		{"named string", to[myText](), text("a"), myText("a"), false},
		{"bytes of a text", to[[]byte](), text("a"), []byte("a"), false},
		{"bytes of a blob", to[[]byte](), blob([]byte{}), []byte{}, false},
		{"bytes of NULL", to[[]byte](), null, []byte(nil), false},
		{"bytes of an integer", to[[]byte](), integer(5), []byte("5"), false},
		{"named bytes", to[json.RawMessage](), text("{}"), json.RawMessage("{}"), false},
		{"any of NULL", to[any](), null, nil, false},
		{"any of a blob", to[any](), blob([]byte{1}), []byte{1}, false},
		{"any of a real", to[any](), realNumber(1), 1.0, false},
		{"time", to[time.Time](), text("2026-01-02 03:04:05"), at, false},
		{"time of an integer", to[time.Time](), integer(5), "only a text does", true},
		{"time of nonsense", to[time.Time](), text("noon"), `"noon" is no time`, true},
		{"pointer", to[*int64](), integer(5), &five, false},
		{"pointer of NULL", to[*int64](), null, (*int64)(nil), false},
		{"pointer to a time", to[*time.Time](), text("2026-01-02 03:04:05"), &at, false},
		{"NULL as int", to[int](), null, "NULL does not fit into *int", true},
		{"NULL as string", to[string](), null, "NULL does not fit", true},
		{"NULL as time", to[time.Time](), null, "null", true},
		{"scanner", to[sql.NullInt64](), integer(5), sql.NullInt64{Int64: 5, Valid: true}, false},
		{"scanner of NULL", to[sql.NullInt64](), null, sql.NullInt64{}, false},
		{"generic scanner", to[sql.Null[string]](), text("a"), sql.Null[string]{V: "a", Valid: true}, false},
		{"failing scanner", to[sql.NullInt64](), text("x"), "invalid syntax", true},
		{"chan", to[chan int](), integer(5), "a integer does not fit", true},
	} {
		dest := tt.dest()
		err := d1.Convert(dest, tt.value)
		if tt.fails {
			if err == nil || !strings.Contains(err.Error(), tt.want.(string)) {
				t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
			}
			continue
		}
		if got := derefAny(dest); err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("%s: got %#v, %v; want %#v", tt.name, got, err, tt.want)
		}
	}
	for _, dest := range []any{nil, 5, "x"} {
		if err := d1.Convert(dest, integer(1)); err == nil {
			t.Errorf("Convert into %#v: no error", dest)
		}
	}
}

// TestConvertCopies checks that nothing converted refers to a result's memory.
func TestConvertCopies(t *testing.T) {
	t.Parallel()
	memory := []byte("abc")
	var text string
	var blob []byte
	var raw json.RawMessage
	var value d1.Value
	var any1, any2 any
	for dest, v := range map[any]d1.Value{
		&text: d1.Text(memory), &blob: d1.Blob(memory), &raw: d1.Blob(memory), &value: d1.Text(memory),
		&any1: d1.Text(memory), &any2: d1.Blob(memory),
	} {
		if err := d1.Convert(dest, v); err != nil {
			t.Fatal(err)
		}
	}
	copy(memory, "xyz")
	got := []string{text, string(blob), string(raw), string(value.Bytes()), any1.(string), string(any2.([]byte))}
	if want := strings.Repeat("abc", 6); strings.Join(got, "") != want {
		t.Errorf("got %q", got)
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05.000006000Z":               time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		"2026-01-02T03:04:05+01:00":                    time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC),
		"2026-01-02 03:04:05":                          time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02 03:04:05.123":                      time.Date(2026, 1, 2, 3, 4, 5, 123e6, time.UTC),
		"2026-01-02 03:04:05.123456+02:00":             time.Date(2026, 1, 2, 1, 4, 5, 123456e3, time.UTC),
		"2026-01-02T03:04":                             time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC),
		"2026-01-02 03:04":                             time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC),
		"2026-01-02 03:04-01:00":                       time.Date(2026, 1, 2, 4, 4, 0, 0, time.UTC),
		"2026-01-02":                                   time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		"0000-01-01T00:00:00Z":                         time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-01-02 03:04:05.5-07:30":                  time.Date(2026, 1, 2, 10, 34, 5, 5e8, time.UTC),
		"2026-01-02 03:04:05 Z":                        time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02 03:04:05.1234567899":               time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC),
		"2026-01-02 03:04:05.6 +0100 CET":              time.Date(2026, 1, 2, 2, 4, 5, 6e8, time.UTC),
		"2026-01-02 03:04:05 -0300 -03":                time.Date(2026, 1, 2, 6, 4, 5, 0, time.UTC),
		"2026-01-02 03:04:05 +0000 UTC m=+0.000000001": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	} {
		if got, err := d1.ParseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "now", "03:04", "2026-13-01", "2026-02-30", "2460000.5", "2026-01-02 25:00:00", " 2026-01-02",
		"2026-01-0x", "2026-01-02 03:04:60", "2026-01-02 03:04:05.", "2026-01-02 03:04:05+1:00", "2026-01-02 03:04:05+24:00", "2026-01-02x03:04:05", "2026-01-02 03:4", "2026-01-02T"} {
		if got, err := d1.ParseTime(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// FuzzParseTime checks that a time that was read can be written and read again.
func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"2026-01-02T03:04:05.000006000Z", "2026-01-02 03:04", "2026-01-02 03:04:05.5+14:00", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := d1.ParseTime(text)
		if err != nil {
			return
		}
		arg, err := d1.Arg(at)
		if err != nil {
			if year := at.UTC().Year(); year < 0 || year > 9999 {
				return
			}
			t.Fatalf("%q: %v", text, err)
		}
		again, err := d1.ParseTime(arg.(string))
		if err != nil || !again.Equal(at) || len(arg.(string)) != len(d1.TimeFormat) {
			t.Errorf("%q: %v became %v, %v", text, at, arg, err)
		}
	})
}

func derefAny(dest any) any { return reflect.ValueOf(dest).Elem().Interface() }
