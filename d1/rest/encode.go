package rest

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/skylite-go/skylite/internal/inline"
	"github.com/skylite-go/skylite/internal/jsjson"
)

// encode writes the body of a call. One statement goes as {"sql","params"}, the
// form that has always been there and that every client uses; only several need
// {"batch"}, which is newer. Both run as one transaction. An empty list of
// params is left out: with it D1 takes a semicolon that its splitter sees, in
// the body of a trigger for instance, for a second statement and refuses.
//
// elements is the part of the body that may stand in another's batch.
func encode(statements []inline.Statement) (body, elements []byte, err error) {
	size := 32
	for i := range statements {
		size += sizeOf(&statements[i])
	}
	b := make([]byte, 0, size)
	if len(statements) == 1 {
		b, err = appendStatement(b, 0, &statements[0])
		return b, b, err
	}
	b = append(b, batchHead...)
	for i := range statements {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendStatement(b, i, &statements[i]); err != nil {
			return nil, nil, err
		}
	}
	b = append(b, batchTail...)
	return b, b[len(batchHead) : len(b)-len(batchTail)], nil
}

// What stands around the statements of a batch.
const (
	batchHead = `{"batch":[`
	batchTail = "]}"
)

// sizeOf guesses the length of a statement's JSON.
func sizeOf(s *inline.Statement) int {
	n := len(s.SQL) + len(s.SQL)/8 + 32
	for _, arg := range s.Args {
		switch arg := arg.(type) {
		case string:
			n += len(arg) + len(arg)/8 + 4
		case []byte:
			n += 4*len(arg) + 4
		default:
			n += 24
		}
	}
	return n
}

func appendStatement(b []byte, i int, s *inline.Statement) ([]byte, error) {
	if !utf8.ValidString(s.SQL) {
		return nil, refused(i, "the SQL text is not valid UTF-8")
	}
	b = append(b, `{"sql":`...)
	b = appendString(b, s.SQL)
	for j, arg := range s.Args {
		if j == 0 {
			b = append(b, `,"params":[`...)
		} else {
			b = append(b, ',')
		}
		var err error
		if b, err = appendArg(b, arg); err != nil {
			return nil, refused(i, fmt.Sprintf("argument %d: %v", j+1, err))
		}
	}
	if len(s.Args) > 0 {
		b = append(b, ']')
	}
	return append(b, '}'), nil
}

func appendArg(b []byte, arg any) ([]byte, error) {
	switch arg := arg.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		if !utf8.ValidString(arg) {
			return nil, fmt.Errorf("the string is not valid UTF-8; pass it as []byte to store a BLOB")
		}
		return appendString(b, arg), nil
	case float64:
		if math.IsNaN(arg) || math.IsInf(arg, 0) {
			return nil, fmt.Errorf("D1 cannot carry %v; use NULL or a text for it", arg)
		}
		return strconv.AppendFloat(b, arg, 'g', -1, 64), nil
	case []byte:
		return jsjson.AppendBlob(b, arg), nil
	case int64:
		// Only where no literal may stand, and SQLite takes no parameter either.
		return strconv.AppendInt(b, arg, 10), nil
	}
	return nil, fmt.Errorf("unsupported type %T; use a d1.DB, which converts it", arg)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. s is valid UTF-8.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[done:]...), '"')
}
