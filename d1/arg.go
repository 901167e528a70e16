package d1

import (
	"database/sql/driver"
	"fmt"
	"math"
	"reflect"
	"time"
	"unicode/utf8"
)

// TimeFormat is how a [time.Time] is written into a TEXT: RFC 3339 in UTC with
// all nine digits of the second's fraction, so that the order of the texts is
// the order of the times. SQLite's date functions read it.
const TimeFormat = "2006-01-02T15:04:05.000000000Z"

// Arg converts a Go value into one of the five that travel to D1: nil, int64,
// float64, string and []byte.
//
//   - Integers of every size and bool become int64: SQLite sees an INTEGER.
//   - float32 and float64 become float64: a REAL. NaN and ±Inf are refused, since
//     D1's JSON has no form for them.
//   - A string is a TEXT; invalid UTF-8 is refused.
//   - A []byte is a BLOB; nil is NULL, an empty one is an empty BLOB.
//   - A [time.Time] is a TEXT in [TimeFormat]; years outside 0 to 9999 are refused.
//   - A [driver.Valuer] is asked for its value; pointers are followed, nil is NULL;
//     named types count as what they are made of.
func Arg(v any) (any, error) {
	switch v := v.(type) {
	case nil, int64:
		return v, nil
	case string:
		return textArg(v)
	case []byte:
		return blobArg(v), nil
	case float64:
		return realArg(v)
	case int:
		return int64(v), nil
	case bool:
		return boolArg(v), nil
	case time.Time:
		return timeArg(v)
	case driver.Valuer:
		return valuerArg(v)
	}
	return reflectArg(reflect.ValueOf(v))
}

func textArg(s string) (any, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the string is not valid UTF-8; pass it as []byte to store a BLOB")
	}
	return s, nil
}

func blobArg(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func realArg(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("D1 cannot carry %v; use NULL or a text for it", f)
	}
	return f, nil
}

func timeArg(t time.Time) (any, error) {
	t = t.UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return nil, fmt.Errorf("the year %d does not fit into RFC 3339's four digits", year)
	}
	return t.Format(TimeFormat), nil
}

func boolArg(b bool) any {
	if b {
		return int64(1)
	}
	return int64(0)
}

func valuerArg(v driver.Valuer) (any, error) {
	// As in database/sql: a nil pointer is NULL, unless the method is the pointer's own.
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() &&
		rv.Type().Elem().Implements(reflect.TypeFor[driver.Valuer]()) {
		return nil, nil
	}
	value, err := v.Value()
	if err != nil {
		return nil, err
	}
	if _, again := value.(driver.Valuer); again {
		return nil, fmt.Errorf("%T gives another driver.Valuer, %T", v, value)
	}
	return Arg(value)
}

func reflectArg(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return Arg(v.Elem().Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := v.Uint(); u <= math.MaxInt64 {
			return int64(u), nil
		}
		return nil, fmt.Errorf("%d is larger than SQLite's largest integer, 2^63-1", v.Uint())
	case reflect.Float32, reflect.Float64:
		return realArg(v.Float())
	case reflect.Bool:
		return boolArg(v.Bool()), nil
	case reflect.String:
		return textArg(v.String())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return blobArg(v.Bytes()), nil
		}
	}
	return nil, fmt.Errorf("unsupported type %s; "+
		"use an integer, a float, a bool, a string, a []byte, a time.Time or a driver.Valuer", v.Type())
}
