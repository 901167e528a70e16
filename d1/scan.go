package d1

import (
	"database/sql"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Convert stores a copy of a value in the place that dest points to.
//
// An INTEGER goes into every integer type that can hold it, into a float and, if
// it is 0 or 1, into a bool; a REAL into a float, and into an integer if it is
// whole; a TEXT into a string, a []byte and, if it is a time as SQLite or
// [TimeFormat] writes it, a [time.Time]; a BLOB into a []byte. Numbers go into a
// string in SQLite's form, such as 2.0 and 1.5e+300. NULL goes into a pointer (as nil), a []byte, an
// any and a [sql.Scanner], and is an error elsewhere. What does not fit is an
// error, never a different value.
func Convert(dest any, v Value) error {
	switch d := dest.(type) {
	case *any:
		value, err := v.Any()
		*d = value
		return err
	case *[]byte:
		return convertBytes(d, v)
	case *Value:
		*d = v
		if v.bytes != nil {
			d.bytes = append(make([]byte, 0, len(v.bytes)), v.bytes...)
		}
		return nil
	case *time.Time:
		return convertTime(d, v)
	case sql.Scanner:
		value, err := v.Any()
		if err != nil {
			return err
		}
		return d.Scan(value)
	}
	if v.IsNull() {
		return convertNull(dest)
	}
	switch d := dest.(type) {
	case *string:
		text, err := textOf(v)
		*d = text
		return err
	case *int64:
		n, err := integerOf(v)
		*d = n
		return err
	case *int:
		return convertReflect(reflect.ValueOf(d).Elem(), v)
	case *float64:
		f, err := floatOf(v)
		*d = f
		return err
	case *bool:
		b, err := boolOf(v)
		*d = b
		return err
	}
	rv := reflect.ValueOf(dest)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return fmt.Errorf("destination is %T, not a pointer to something", dest)
	}
	return convertReflect(rv.Elem(), v)
}

func convertBytes(d *[]byte, v Value) error {
	switch v.Kind() {
	case KindNull:
		*d = nil
	case KindText, KindBlob:
		*d = append(make([]byte, 0, len(v.bytes)), v.bytes...)
	default:
		text, err := textOf(v)
		if err != nil {
			return err
		}
		*d = []byte(text)
	}
	return nil
}

func convertNull(dest any) error {
	rv := reflect.ValueOf(dest)
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		if elem := rv.Elem(); elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Interface {
			elem.SetZero()
			return nil
		}
	}
	return fmt.Errorf("NULL does not fit into %T; use a pointer or a sql.Null type", dest)
}

func convertReflect(elem reflect.Value, v Value) error {
	switch elem.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(elem.Type().Elem())
		if err := Convert(fresh.Interface(), v); err != nil {
			return err
		}
		elem.Set(fresh)
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := integerOf(v)
		if err == nil && elem.OverflowInt(n) {
			err = fmt.Errorf("%d does not fit into %s", n, elem.Type())
		}
		if err == nil {
			elem.SetInt(n)
		}
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := integerOf(v)
		if err == nil && (n < 0 || elem.OverflowUint(uint64(n))) {
			err = fmt.Errorf("%d does not fit into %s", n, elem.Type())
		}
		if err == nil {
			elem.SetUint(uint64(n))
		}
		return err
	case reflect.Float32, reflect.Float64:
		f, err := floatOf(v)
		if err == nil && elem.OverflowFloat(f) {
			err = fmt.Errorf("%v does not fit into %s", f, elem.Type())
		}
		if err == nil {
			elem.SetFloat(f)
		}
		return err
	case reflect.Bool:
		b, err := boolOf(v)
		if err == nil {
			elem.SetBool(b)
		}
		return err
	case reflect.String:
		s, err := textOf(v)
		if err == nil {
			elem.SetString(s)
		}
		return err
	case reflect.Slice:
		if elem.Type().Elem().Kind() == reflect.Uint8 {
			var b []byte
			err := convertBytes(&b, v)
			elem.SetBytes(b)
			return err
		}
	}
	return fmt.Errorf("a %s does not fit into %s", v.Kind(), elem.Type())
}

func integerOf(v Value) (int64, error) {
	if n, ok := v.Int64(); ok {
		return n, nil
	}
	f, isNumber := v.Float64()
	switch {
	case v.kind == KindInteger:
		return 0, &InexactError{Float: f}
	case isNumber && f == math.Trunc(f) && math.Abs(f) <= MaxExactInteger:
		return int64(f), nil
	case isNumber:
		return 0, fmt.Errorf("the real %v is no integer", f)
	}
	return 0, fmt.Errorf("a %s is no integer", v.Kind())
}

func floatOf(v Value) (float64, error) {
	if f, ok := v.Float64(); ok {
		return f, nil
	}
	return 0, fmt.Errorf("a %s is no number", v.Kind())
}

func boolOf(v Value) (bool, error) {
	n, err := integerOf(v)
	if err != nil || n != 0 && n != 1 {
		return false, fmt.Errorf("only 0 and 1 fit into a bool")
	}
	return n == 1, nil
}

func textOf(v Value) (string, error) {
	switch v.Kind() {
	case KindText, KindBlob:
		return string(v.bytes), nil
	case KindInteger:
		n, err := integerOf(v)
		return strconv.FormatInt(n, 10), err
	}
	f, _ := v.Float64()
	return realText(f), nil
}

// realText is a number in SQLite's form: it never looks like an integer.
func realText(f float64) string {
	if math.IsInf(f, 0) {
		return strings.TrimPrefix(strconv.FormatFloat(f, 'f', -1, 64), "+")
	}
	format := byte('f')
	switch a := math.Abs(f); {
	case a == 0:
		return "0.0"
	case a < 1e-4, a >= 1e17:
		format = 'e'
	}
	digits, exponent, scaled := strings.Cut(strconv.FormatFloat(f, format, -1, 64), "e")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	if scaled {
		digits += "e" + exponent
	}
	return digits
}

func convertTime(d *time.Time, v Value) error {
	if v.Kind() != KindText {
		return fmt.Errorf("a %s does not fit into a time.Time; only a text does", v.Kind())
	}
	t, err := ParseTime(string(v.bytes))
	*d = t
	return err
}

func scanRow(columns []string, row []Value, dest []any) error {
	if len(dest) != len(row) {
		return fmt.Errorf("d1: the row has %d columns, but there are %d destinations", len(row), len(dest))
	}
	for i, v := range row {
		if err := Convert(dest[i], v); err != nil {
			return columnError(columns, i, err)
		}
	}
	return nil
}

func columnError(columns []string, i int, err error) error {
	return fmt.Errorf("d1: column %d (%s): %w", i+1, columns[i], err)
}
