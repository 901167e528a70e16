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
	// RowsRead, RowsWritten and Duration are the sums of the results' metas.
	RowsRead, RowsWritten int64
	Duration              time.Duration
	// Rounded are the columns with numbers beyond 2^53, which have been rounded on
	// their way if they are integers.
	Rounded []string
}

func (s *Summary) add(m d1.Meta) {
	s.Statements++
	s.RowsRead += m.RowsRead
	s.RowsWritten += m.RowsWritten
	s.Duration += m.Duration
}

// look notes which columns of a row have numbers that may have been rounded.
func (s *Summary) look(columns []string, row []d1.Value) {
	for i, v := range row {
		if v.Kind() != d1.KindInteger {
			continue
		}
		if _, exact := v.Int64(); !exact && !slices.Contains(s.Rounded, columns[i]) {
			s.Rounded = append(s.Rounded, columns[i])
		}
	}
}
