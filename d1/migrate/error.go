package migrate

import (
	"fmt"
	"strings"
)

// Error says which migration failed, where, and what had been applied by then. The
// migration itself has had no effect, unless [d1.Ambiguous] holds for the error.
type Error struct {
	Record
	// Statement is the place of the statement at fault in the migration, from 0, or -1
	// if it is not known.
	Statement int
	// Offset is the place of the fault in the migration's text, in bytes, or -1.
	Offset int
	// Line is the line of Offset, from 1, or 0.
	Line int
	// Applied are the migrations that the same run applied before.
	Applied []Record
	// Err is the database's error, or a [*DataLossError].
	Err error
}

// Error says it in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "migration %s", e.Record)
	if e.Statement >= 0 {
		fmt.Fprintf(&b, ", statement %d", e.Statement+1)
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, ", line %d (offset %d)", e.Line, e.Offset)
	}
	b.WriteString(": " + strings.TrimPrefix(e.Err.Error(), "d1: "))
	switch len(e.Applied) {
	case 0:
		b.WriteString("; nothing was applied before it")
	case 1:
		fmt.Fprintf(&b, "; applied before it: %s", e.Applied[0])
	default:
		fmt.Fprintf(&b, "; applied before it: %d migrations, up to %s", len(e.Applied), e.Applied[len(e.Applied)-1])
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// DataLossError says that a migration would have lost rows that it does not name, and
// was undone.
type DataLossError struct {
	Loss
}

// Error says what would have been lost, and the way that loses nothing.
func (e *DataLossError) Error() string {
	what := "rows"
	if e.Action == "SET NULL" {
		what = "values of " + e.Column
	}
	return fmt.Sprintf("data would be lost: %s has %d %s before and %d after: %s. %s",
		e.Table, e.Before, what, e.After, e.why(), e.recipe())
}
