// Package render writes the answers of a database for people and for programs.
package render

import (
	"slices"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// Summary is what is to be said of all results together.
type Summary struct {
	// Statements is how many results there were.
	Statements int
	// Rows is how many rows they have.
	Rows int64
	// Changes, RowsRead, RowsWritten and Duration are the sums of the results' metas.
	Changes, RowsRead, RowsWritten int64
	Duration                       time.Duration
	// Rounded are the columns with numbers beyond 2^53, which have been rounded on
	// their way if they are integers.
	Rounded []string
}

func (s *Summary) add(m d1.Meta) {
	s.Statements++
	s.Changes += m.Changes
	s.RowsRead += m.RowsRead
	s.RowsWritten += m.RowsWritten
	s.Duration += m.Duration
}

// look counts a row, and notes which columns have numbers that may have been rounded.
func (s *Summary) look(columns []string, row []d1.Value) {
	s.Rows++
	for i, v := range row {
		if v.Kind() != d1.KindInteger {
			continue
		}
		if _, exact := v.Int64(); !exact && !slices.Contains(s.Rounded, columns[i]) {
			s.Rounded = append(s.Rounded, columns[i])
		}
	}
}
