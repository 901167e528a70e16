package d1

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"
)

// All runs a statement and returns its rows as values of type T: a struct, whose
// fields take the columns of their names; a map[string]any; or any single type
// that [Convert] knows, for a statement with one column.
//
// A field takes the column that its `d1` tag names, or else the column whose name
// is the field's, whatever the case and without regard to underscores; the tag
// "-" leaves a field out. Embedded structs count as their fields. A column that
// has no field is an error.
func All[T any](ctx context.Context, on Querier, sql string, args ...any) ([]T, error) {
	var rows []T
	for row, err := range Each[T](ctx, on, sql, args...) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// First runs a statement and returns its first row as a T, or [ErrNoRows] if
// there is none. See [All].
func First[T any](ctx context.Context, on Querier, sql string, args ...any) (T, error) {
	var value T
	err := first(ctx, on, Statement{SQL: sql, Args: args}).read(func(results *Results) error {
		scan, err := scannerFor[T](results.Columns())
		if err != nil {
			return err
		}
		return scan(results.Row(), &value)
	})
	return value, err
}

// Each runs a statement and yields its rows as they arrive. An error is yielded
// last, with a zero T. See [All].
func Each[T any](ctx context.Context, on Querier, sql string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		results, err := query(ctx, on, Statement{SQL: sql, Args: args})
		if err != nil {
			yield(zero, err)
			return
		}
		defer results.Close()
		scan, err := scannerFor[T](results.Columns())
		for err == nil && results.Next() {
			var value T
			if err = scan(results.Row(), &value); err == nil && !yield(value, nil) {
				return
			}
		}
		if err == nil {
			err = results.finish()
		}
		if err != nil {
			yield(zero, err)
		}
	}
}

// Into returns the rows of a Result, of a batch for instance, as values of type
// T. See [All].
func Into[T any](r *Result) ([]T, error) {
	scan, err := scannerFor[T](r.Columns)
	if err != nil {
		return nil, err
	}
	values := make([]T, len(r.Rows))
	row := make([]Value, len(r.Columns))
	for i := range r.Rows {
		for j, v := range r.Rows[i] {
			row[j] = valueOf(v)
		}
		if err := scan(row, &values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// valueOf is the inverse of [Value.Any].
func valueOf(v any) Value {
	switch v := v.(type) {
	case int64:
		return Integer(v)
	case float64:
		return Real(v)
	case string:
		return Text([]byte(v))
	case []byte:
		return Blob(v)
	}
	return Null()
}

// scannerFor returns what copies a row of these columns into a T. A statement
// without columns has no rows, and needs nothing.
func scannerFor[T any](columns []string) (func(row []Value, dest *T) error, error) {
	t := reflect.TypeFor[T]()
	switch {
	case t == reflect.TypeFor[map[string]any]():
		return func(row []Value, dest *T) error {
			m, err := mapOf(columns, row)
			reflect.ValueOf(dest).Elem().Set(reflect.ValueOf(m))
			return err
		}, nil
	case isStruct(t):
		return structScanner[T](t, columns)
	case len(columns) == 0: // and so there is no row
		return nil, nil
	case len(columns) != 1:
		return nil, fmt.Errorf("d1: the statement returns %d columns; a %s takes one", len(columns), t)
	}
	return func(row []Value, dest *T) error { return scanRow(columns, row, []any{dest}) }, nil
}

func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && t != reflect.TypeFor[Value]() &&
		!reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]())
}

func mapOf(columns []string, row []Value) (map[string]any, error) {
	m := make(map[string]any, len(columns))
	for i, v := range row {
		value, err := v.Any()
		if err != nil {
			return nil, columnError(columns, i, err)
		}
		m[columns[i]] = value
	}
	return m, nil
}

func structScanner[T any](t reflect.Type, columns []string) (func([]Value, *T) error, error) {
	fields := collectFields(t)
	paths := make([][]int, len(columns))
	for i, column := range columns {
		path, ok := fields[column]
		if !ok {
			path, ok = fields[foldName(column)]
		}
		if !ok {
			return nil, fmt.Errorf("d1: %s has no field for column %d (%s); "+
				"add one, or name it with the tag `d1:%q`", t, i+1, column, column)
		}
		paths[i] = path
	}
	return func(row []Value, dest *T) error {
		v := reflect.ValueOf(dest).Elem()
		for i, path := range paths {
			if err := Convert(v.FieldByIndex(path).Addr().Interface(), row[i]); err != nil {
				return columnError(columns, i, err)
			}
		}
		return nil
	}, nil
}

// collectFields maps names to fields: tags as they are, other names folded. The
// outermost field of a name wins, and the first of two that are equally deep.
func collectFields(t reflect.Type) map[string][]int {
	type part struct {
		t    reflect.Type
		path []int
	}
	fields := make(map[string][]int)
	for parts := []part{{t: t}}; len(parts) > 0; parts = parts[1:] {
		outer := parts[0]
		for i := range outer.t.NumField() {
			f := outer.t.Field(i)
			name := f.Tag.Get("d1")
			path := append(slices.Clone(outer.path), i)
			if f.Anonymous && name == "" && isStruct(f.Type) {
				parts = append(parts, part{f.Type, path})
				continue
			}
			if name == "-" || !f.IsExported() {
				continue
			}
			if name == "" {
				name = foldName(f.Name)
			}
			if _, taken := fields[name]; !taken {
				fields[name] = path
			}
		}
	}
	return fields
}

func foldName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}
