package d1sql

import (
	"database/sql"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/internal/sqlschema"
)

// columnType is what is known of a column. The zero value knows nothing.
type columnType struct {
	name    string // the declared type in upper case
	null    sqlschema.Null
	class   class
	convert conversion
}

// class is what a declared type says of a column's values. Besides dates and booleans it is
// SQLite's affinity; see sqlite.org/datatype3.html.
type class uint8

const (
	classNone class = iota
	classInteger
	classReal
	classText
	classBlob
	classNumeric
	classTime
	classBool
)

// conversion is what a column's type makes of its values.
type conversion uint8

const (
	unconverted conversion = iota
	asTime                 // texts that are times become times
	asReal                 // integers are reals, which JSON has written without a fraction
)

// answer is what is known of a statement's columns; nil is nothing.
type answer struct {
	types   []columnType
	convert []conversion // nil if all values stay what they are
}

// answerOf returns what there is to know of columns, and their names.
func answerOf(columns []sqlschema.Column) (a *answer, names []string) {
	types, names := make([]columnType, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
		t := columnType{name: strings.ToUpper(c.Type), null: c.Null}
		t.class = classOf(t.name)
		switch {
		case t.class == classTime:
			t.convert = asTime
		case t.class == classReal && c.Stored:
			t.convert = asReal
		}
		types[i] = t
	}
	return &answer{types: types, convert: conversions(types)}, names
}

// classOf reads a declared type in upper case. What stands behind its first word is no
// matter to dates: TIMESTAMP WITH TIME ZONE, DATETIME(6).
func classOf(declared string) class {
	word := declared
	if i := strings.IndexAny(declared, " (\t\n"); i >= 0 {
		word = declared[:i]
	}
	switch word {
	case "":
		return classNone
	case "DATE", "DATETIME", "TIMESTAMP", "TIMESTAMPTZ":
		return classTime
	case "BOOLEAN", "BOOL":
		return classBool
	}
	has := func(part string) bool { return strings.Contains(declared, part) }
	switch {
	case has("INT"):
		return classInteger
	case has("CHAR"), has("CLOB"), has("TEXT"):
		return classText
	case has("BLOB"):
		return classBlob
	case has("REAL"), has("FLOA"), has("DOUB"):
		return classReal
	}
	return classNumeric
}

// conversions returns what the types make of a row's values, or nil if nothing.
func conversions(types []columnType) []conversion {
	for _, t := range types {
		if t.convert == unconverted {
			continue
		}
		all := make([]conversion, len(types))
		for i, t := range types {
			all[i] = t.convert
		}
		return all
	}
	return nil
}

// scanTypes are the types to scan a column into, if it holds no NULL and if it may. A
// numeric column may hold integers and reals, so it has none.
var scanTypes = map[class][2]reflect.Type{
	classInteger: {reflect.TypeFor[int64](), reflect.TypeFor[sql.NullInt64]()},
	classReal:    {reflect.TypeFor[float64](), reflect.TypeFor[sql.NullFloat64]()},
	classText:    {reflect.TypeFor[string](), reflect.TypeFor[sql.NullString]()},
	classBlob:    {reflect.TypeFor[[]byte](), reflect.TypeFor[[]byte]()},
	classTime:    {reflect.TypeFor[time.Time](), reflect.TypeFor[sql.NullTime]()},
	classBool:    {reflect.TypeFor[bool](), reflect.TypeFor[sql.NullBool]()},
}

func (t columnType) scanType() reflect.Type {
	pair, ok := scanTypes[t.class]
	switch {
	case !ok:
		return reflect.TypeFor[any]()
	case t.null == sqlschema.NotNull:
		return pair[0]
	}
	return pair[1]
}

// length returns the length that a text or a blob is declared with; SQLite does not hold
// anybody to it.
func (t columnType) length() (int64, bool) {
	if t.class != classText && t.class != classBlob {
		return 0, false
	}
	if n, _, ok := t.arguments(); ok {
		return n, true
	}
	return math.MaxInt64, true
}

// decimalSize returns the p and s of DECIMAL(p, s).
func (t columnType) decimalSize() (precision, scale int64, ok bool) {
	if t.class != classNumeric {
		return 0, 0, false
	}
	return t.arguments()
}

// arguments returns the one or two numbers in a type's parentheses.
func (t columnType) arguments() (first, second int64, ok bool) {
	_, inner, ok := strings.Cut(t.name, "(")
	if !ok {
		return 0, 0, false
	}
	inner, _, _ = strings.Cut(inner, ")")
	a, b, two := strings.Cut(inner, ",")
	first, err := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
	if err == nil && two {
		second, err = strconv.ParseInt(strings.TrimSpace(b), 10, 64)
	}
	return first, second, err == nil
}
