package d1

import (
	"fmt"
	"math"
)

// Kind is the storage class of a [Value], as SQLite's typeof() names it.
type Kind uint8

// The storage classes of SQLite.
const (
	KindNull Kind = iota
	KindInteger
	KindReal
	KindText
	KindBlob
)

// String returns SQLite's name of the kind: null, integer, real, text or blob.
func (k Kind) String() string {
	switch k {
	case KindInteger:
		return "integer"
	case KindReal:
		return "real"
	case KindText:
		return "text"
	case KindBlob:
		return "blob"
	}
	return "null"
}

// Value is one cell of a result. It holds no pointer of its own: a text or a
// blob refers to memory of the result it came from and is valid only until the
// next call to [Results.Next], [Results.NextResult] or [Results.Close]; [Value.Any]
// makes a copy. The zero Value is NULL.
type Value struct {
	kind    Kind
	inexact bool
	bits    uint64
	bytes   []byte
}

// Null returns the NULL value.
func Null() Value { return Value{} }

// Integer returns an INTEGER value.
func Integer(n int64) Value { return Value{kind: KindInteger, bits: uint64(n)} }

// Real returns a REAL value.
func Real(f float64) Value { return Value{kind: KindReal, bits: math.Float64bits(f)} }

// Text returns a TEXT value that refers to b.
func Text(b []byte) Value { return Value{kind: KindText, bytes: b} }

// Blob returns a BLOB value that refers to b.
func Blob(b []byte) Value { return Value{kind: KindBlob, bytes: b} }

// RoundedInteger returns a number that crossed a wire as a double too large to
// hold every integer (more than 2^53), so that the integer it once was is not
// known. It can be read as a float64 and nothing else.
func RoundedInteger(f float64) Value {
	return Value{kind: KindInteger, inexact: true, bits: math.Float64bits(f)}
}

// Kind returns the value's storage class.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether the value is NULL.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Int64 returns an INTEGER exactly. ok is false for every other kind, and for
// an integer that was rounded on its way here.
func (v Value) Int64() (n int64, ok bool) {
	return int64(v.bits), v.kind == KindInteger && !v.inexact
}

// Float64 returns a REAL or an INTEGER as a float64. ok is false for every
// other kind.
func (v Value) Float64() (f float64, ok bool) {
	switch {
	case v.kind == KindReal, v.kind == KindInteger && v.inexact:
		return math.Float64frombits(v.bits), true
	case v.kind == KindInteger:
		return float64(int64(v.bits)), true
	}
	return 0, false
}

// Bytes returns the bytes of a TEXT or a BLOB without copying them, and nil
// for every other kind. See [Value] for how long they are valid.
func (v Value) Bytes() []byte { return v.bytes }

// Any returns a copy of the value that stays valid: nil, int64, float64, string
// or []byte (never nil for a BLOB). An integer that was rounded on its way is an
// [*InexactError].
func (v Value) Any() (any, error) {
	switch v.kind {
	case KindInteger:
		if v.inexact {
			return nil, &InexactError{Float: math.Float64frombits(v.bits)}
		}
		return int64(v.bits), nil
	case KindReal:
		return math.Float64frombits(v.bits), nil
	case KindText:
		return string(v.bytes), nil
	case KindBlob:
		return append(make([]byte, 0, len(v.bytes)), v.bytes...), nil
	}
	return nil, nil
}

// InexactError reports an integer whose exact value is not known, because
// D1's wire is JSON made by JavaScript and rounds integers beyond 2^53.
type InexactError struct {
	// Float is the number as it arrived.
	Float float64
}

// Error says what to do about it.
func (e *InexactError) Error() string {
	return fmt.Sprintf("the number %g is beyond 2^53 and was rounded on its way from D1; "+
		"select CAST(column AS TEXT) to read the integer exactly, or scan it into a float64", e.Float)
}
