package dialect

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Field is a field of a struct, as Go's source has it.
type Field struct {
	// Name is the field's.
	Name string
	// Type is the type's text, with named types of basic ones replaced by those: int64,
	// *string, []byte, time.Time, sql.NullString.
	Type string
	// Tag is the whole tag.
	Tag reflect.StructTag
}

// TableOf returns the table of a struct's type, given a value of it or a pointer to one.
//
// A column is called what the field's d1 tag says, or else as the field is, in snake case;
// the tag d1:"-" leaves a field out, and fields that are not exported are left out too.
// Embedded structs count as their fields. The ddl tag has, separated by semicolons:
//
//	pk                 the primary key; several fields make one key of several columns
//	null, notnull      whether it may be NULL, against the type's own way
//	type=T             the declared type
//	default=X          an SQL literal, or an expression in parentheses
//	unique, unique=N   a unique index, which fields with one name N share
//	index, index=N     an index
//	references=T(c)    a foreign key
//	ondelete=CASCADE   what happens when the row that it refers to goes
//
// and on a blank field, _ struct{}, what concerns the table:
//
//	table=T            its name; otherwise that of the struct, in snake case
//	withoutrowid       that it is stored by its primary key
//
// Integers are INTEGER, floats REAL, strings TEXT, []byte BLOB, bool BOOLEAN and time.Time
// DATETIME, which database/sql gives back as what they were. Pointers, the Null types of
// database/sql and []byte may be NULL.
func TableOf(v any) (Table, error) {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return Table{}, fmt.Errorf("%T is no struct", v)
	}
	return TableOfFields(t.Name(), structFields(t))
}

func structFields(t reflect.Type) []Field {
	var fields []Field
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("d1") == "" && typeName(f.Type) == "struct":
			fields = append(fields, structFields(f.Type)...)
		case f.IsExported() || f.Name == "_":
			fields = append(fields, Field{f.Name, typeName(f.Type), f.Tag})
		}
	}
	return fields
}

// typeName writes a type as [Field] wants it.
func typeName(t reflect.Type) string {
	if name := t.PkgPath() + "." + t.Name(); name == "time.Time" || strings.HasPrefix(name, "database/sql.Null") {
		return strings.TrimPrefix(name, "database/")
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + typeName(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "[]byte"
		}
	}
	return t.Kind().String()
}

// TableOfFields is [TableOf] for whoever reads Go's source instead of running it.
func TableOfFields(structName string, fields []Field) (Table, error) {
	b := &builder{table: Table{Name: snakeCase(structName)}, indexes: map[string]int{}}
	for _, f := range fields {
		if err := b.field(f); err != nil {
			return Table{}, fmt.Errorf("%s.%s: %w", structName, f.Name, err)
		}
	}
	t := b.table
	if len(b.keys) == 1 {
		for i := range t.Columns {
			if c := &t.Columns[i]; c.Name == b.keys[0] {
				c.PrimaryKey = true
				c.Nullable = c.Nullable || c.Type == "INTEGER" && !t.WithoutRowID // the rowid is never NULL
			}
		}
	} else {
		t.PrimaryKey = b.keys
	}
	if err := t.check(); err != nil {
		return Table{}, fmt.Errorf("%s: %w", structName, err)
	}
	return t, nil
}

type builder struct {
	table   Table
	keys    []string
	indexes map[string]int // where in the table's, by name
}

func (b *builder) field(f Field) error {
	if f.Name == "_" {
		return b.tableTag(f.Tag.Get("ddl"))
	}
	name := f.Tag.Get("d1")
	if name == "-" || f.Tag.Get("ddl") == "-" {
		return nil
	}
	if name == "" {
		name = snakeCase(f.Name)
	}
	c := Column{Name: name}
	c.Type, c.Nullable = columnType(f.Type)
	for _, item := range tagItems(f.Tag.Get("ddl")) {
		if err := b.item(&c, item[0], item[1]); err != nil {
			return err
		}
	}
	if c.Type == "" {
		return fmt.Errorf("a column has no %s; give its type with the tag `ddl:\"type=TEXT\"`, or leave it out with `d1:\"-\"`", f.Type)
	}
	if c.OnDelete != "" && c.References == "" {
		return fmt.Errorf("ondelete needs references")
	}
	b.table.Columns = append(b.table.Columns, c)
	return nil
}

func (b *builder) tableTag(tag string) error {
	for _, item := range tagItems(tag) {
		switch item[0] {
		case "table":
			b.table.Name = item[1]
		case "withoutrowid":
			b.table.WithoutRowID = true
		default:
			return fmt.Errorf("the ddl tag has %q, which is none of table and withoutrowid", item[0])
		}
	}
	return nil
}

func (b *builder) item(c *Column, key, value string) error {
	switch key {
	case "pk":
		b.keys = append(b.keys, c.Name)
	case "null":
		c.Nullable = true
	case "notnull":
		c.Nullable = false
	case "type":
		c.Type = value
	case "default":
		c.Default = value
	case "index", "unique":
		b.index(c.Name, value, key == "unique")
	case "references":
		c.References = reference(value)
	case "ondelete":
		action := strings.ToUpper(strings.Join(strings.Fields(value), " "))
		if !slices.Contains([]string{"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"}, action) {
			return fmt.Errorf("ondelete is %q; it must be CASCADE, SET NULL, SET DEFAULT, RESTRICT or NO ACTION", value)
		}
		c.OnDelete = action
	default:
		return fmt.Errorf("the ddl tag has %q, which is none of pk, null, notnull, type, default, index, unique, references and ondelete", key)
	}
	return nil
}

func (b *builder) index(column, name string, unique bool) {
	if name == "" {
		name = column
	}
	if i, ok := b.indexes[name]; ok {
		index := &b.table.Indexes[i]
		index.Columns = append(index.Columns, column)
		index.Unique = index.Unique || unique
		return
	}
	b.indexes[name] = len(b.table.Indexes)
	b.table.Indexes = append(b.table.Indexes, Index{Name: name, Columns: []string{column}, Unique: unique})
}

// reference quotes the names in users(id).
func reference(value string) string {
	table, rest, ok := strings.Cut(value, "(")
	text := QuoteIdentifier(strings.TrimSpace(table))
	if !ok {
		return text
	}
	var columns []string
	for name := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(rest), ")"), ",") {
		columns = append(columns, QuoteIdentifier(strings.TrimSpace(name)))
	}
	return text + " (" + strings.Join(columns, ", ") + ")"
}

func tagItems(tag string) [][2]string {
	var items [][2]string
	for item := range strings.SplitSeq(tag, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		if key != "" {
			items = append(items, [2]string{key, value})
		}
	}
	return items
}

// columnType returns the declared type for one of Go's, "" if there is none.
func columnType(goType string) (declared string, nullable bool) {
	inner, isPointer := strings.CutPrefix(goType, "*")
	if null, ok := strings.CutPrefix(inner, "sql.Null"); ok {
		inner = map[string]string{"Bool": "bool", "Byte": "uint8", "Float64": "float64", "Int16": "int16", "Int32": "int32",
			"Int64": "int64", "String": "string", "Time": "time.Time"}[null]
		isPointer = true
	}
	switch inner {
	case "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "byte", "rune":
		return "INTEGER", isPointer
	case "float32", "float64":
		return "REAL", isPointer
	case "string":
		return "TEXT", isPointer
	case "bool":
		return "BOOLEAN", isPointer
	case "time.Time":
		return "DATETIME", isPointer
	case "[]byte":
		return "BLOB", true
	}
	return "", isPointer
}

// snakeCase writes UserID as user_id.
func snakeCase(name string) string {
	letters := []rune(name)
	var b strings.Builder
	for i, c := range letters {
		if unicode.IsUpper(c) && i > 0 && letters[i-1] != '_' &&
			(!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
