package d1sql

import (
	"database/sql/driver"
	"fmt"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// bind gives the arguments to the statements: by name where they have names, else in
// order, to each statement as many as it has parameters.
func bind(pieces []sqltext.Statement, args []driver.NamedValue) ([]d1.Statement, error) {
	ordered := make([]any, 0, len(args))
	var named map[string]any
	for _, arg := range args {
		if arg.Name == "" {
			ordered = append(ordered, arg.Value)
			continue
		}
		if named == nil {
			named = make(map[string]any)
		}
		named[arg.Name] = arg.Value
	}
	statements := make([]d1.Statement, len(pieces))
	if len(pieces) == 1 && named == nil { // what nearly all queries are
		if pieces[0].NumParams() != len(ordered) {
			return nil, argsError(pieces, len(args))
		}
		statements[0] = d1.Statement{SQL: pieces[0].Text, Args: ordered}
		return statements, nil
	}
	used := make(map[string]bool)
	for i, piece := range pieces {
		values, rest, ok := bindOne(piece, named, ordered, used)
		if !ok {
			return nil, argsError(pieces, len(args))
		}
		ordered = rest
		statements[i] = d1.Statement{SQL: piece.Text, Args: values}
	}
	if len(ordered) > 0 || len(used) < len(named) {
		return nil, argsError(pieces, len(args))
	}
	return statements, nil
}

// bindOne takes the arguments of one statement, and returns the ordered ones that are
// left. It notes the names it has used.
func bindOne(piece sqltext.Statement, named map[string]any, ordered []any, used map[string]bool) (values, rest []any, ok bool) {
	values = make([]any, piece.NumParams())
	given := make([]bool, len(values))
	for _, p := range piece.Params {
		name := name(p)
		if value, ok := named[name]; ok && name != "" && p.Number > 0 {
			values[p.Number-1], given[p.Number-1], used[name] = value, true, true
		}
	}
	for j := range values {
		if given[j] {
			continue
		}
		if len(ordered) == 0 {
			return nil, nil, false
		}
		values[j], ordered = ordered[0], ordered[1:]
	}
	return values, ordered, true
}

// name is the name that [sql.Named] would give for a parameter, or "".
func name(p sqltext.Param) string {
	if p.Name == "" || p.Name[0] == '?' {
		return ""
	}
	return p.Name[1:]
}

func argsError(pieces []sqltext.Statement, args int) error {
	n := 0
	for _, piece := range pieces {
		n += piece.NumParams()
	}
	return fmt.Errorf("d1sql: the query has %d parameters and was given %d arguments, "+
		"or arguments whose names are not in it", n, args)
}
