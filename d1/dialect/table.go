package dialect

import (
	"fmt"
	"slices"
	"strings"
)

// Table is a table and its indexes.
type Table struct {
	// Name is the table's.
	Name string
	// Columns are in order.
	Columns []Column
	// PrimaryKey names the columns of a primary key that has several, in order. A key of
	// one column is that [Column]'s.
	PrimaryKey []string
	// WithoutRowID makes a table that is stored by its primary key.
	WithoutRowID bool
	// Indexes are in order.
	Indexes []Index
}

// Column is a column of a table.
type Column struct {
	// Name is the column's.
	Name string
	// Type is the declared type, such as INTEGER, TEXT, REAL, BLOB or DATETIME.
	Type string
	// PrimaryKey makes it the primary key. An INTEGER one is the rowid.
	PrimaryKey bool
	// Nullable lets it be NULL.
	Nullable bool
	// Default is an SQL literal, or an expression in parentheses; empty for none.
	Default string
	// References is a foreign key, such as "users" (id); empty for none.
	References string
	// OnDelete is what happens to it when that row goes, such as CASCADE; empty means
	// that it may not go.
	OnDelete string
}

// Index is an index of a table.
type Index struct {
	// Name is put behind the table's; see [PhysicalIndexName].
	Name string
	// Columns are in order.
	Columns []string
	// Unique lets no two rows be alike in them.
	Unique bool
	// Where says which rows are in it, as an SQL expression; empty for all.
	Where string
}

// DDL returns the statements that make the table and then its indexes, where they are
// not there yet, without semicolons. What D1 would refuse is an error.
func (t Table) DDL() ([]string, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	ddl := []string{t.create()}
	for _, i := range t.Indexes {
		ddl = append(ddl, CreateIndex(t.Name, i))
	}
	return ddl, nil
}

func (t Table) create() string {
	var parts []string
	for _, c := range t.Columns {
		parts = append(parts, c.ddl(len(t.PrimaryKey) == 0))
	}
	if len(t.PrimaryKey) > 0 {
		parts = append(parts, "PRIMARY KEY ("+references(t.PrimaryKey)+")")
	}
	text := "CREATE TABLE IF NOT EXISTS " + QuoteIdentifier(t.Name) + " (\n    " + strings.Join(parts, ",\n    ") + "\n)"
	if t.WithoutRowID {
		text += " WITHOUT ROWID"
	}
	return text
}

// ddl is the column's part of a CREATE TABLE.
func (c Column) ddl(withKey bool) string {
	text := QuoteIdentifier(c.Name)
	if c.Type != "" {
		text += " " + c.Type
	}
	if c.PrimaryKey && withKey {
		text += " PRIMARY KEY"
	}
	if !c.Nullable {
		text += " NOT NULL"
	}
	if c.Default != "" {
		text += " DEFAULT " + c.Default
	}
	if c.References != "" {
		text += " REFERENCES " + c.References
		if c.OnDelete != "" {
			text += " ON DELETE " + c.OnDelete
		}
	}
	return text
}

// AddColumn returns the statement that adds a column to a table. SQLite adds none that
// is a primary key, and none that must not be NULL and has no default.
func AddColumn(table string, c Column) string {
	return "ALTER TABLE " + QuoteIdentifier(table) + " ADD COLUMN " + c.ddl(true)
}

// CreateIndex returns the statement that makes an index, if it is not there yet.
func CreateIndex(table string, i Index) string {
	unique := ""
	if i.Unique {
		unique = "UNIQUE "
	}
	text := "CREATE " + unique + "INDEX IF NOT EXISTS " + PhysicalIndexName(table, i.Name) + " ON " +
		QuoteIdentifier(table) + " (" + references(i.Columns) + ")"
	if i.Where != "" {
		text += " WHERE " + i.Where
	}
	return text
}

// DropIndex returns the statement that drops an index of a table, if it is there.
func DropIndex(table, index string) string {
	return "DROP INDEX IF EXISTS " + PhysicalIndexName(table, index)
}

// DropTable returns the statement that drops a table, if it is there.
func DropTable(table string) string { return "DROP TABLE IF EXISTS " + QuoteIdentifier(table) }

func references(columns []string) string {
	refs := make([]string, len(columns))
	for i, c := range columns {
		refs[i] = ColumnRef(c)
	}
	return strings.Join(refs, ", ")
}

// check finds what SQLite or D1 would refuse.
func (t Table) check() error {
	names := make(map[string]bool)
	keys := 0
	for _, c := range t.Columns {
		folded := strings.ToLower(c.Name)
		switch {
		case c.Name == "":
			return fmt.Errorf("table %q has a column without a name", t.Name)
		case names[folded]:
			return fmt.Errorf("table %q has two columns %q", t.Name, c.Name)
		}
		names[folded] = true
		if c.PrimaryKey {
			keys++
		}
	}
	switch {
	case t.Name == "":
		return fmt.Errorf("a table has no name")
	case len(t.Columns) == 0:
		return fmt.Errorf("table %q has no columns", t.Name)
	case len(t.Columns) > MaxTableColumns:
		return fmt.Errorf("table %q needs %d columns, over D1's limit of %d; split it, or put fields that go together into one of JSON",
			t.Name, len(t.Columns), MaxTableColumns)
	case keys > 1, keys > 0 && len(t.PrimaryKey) > 0:
		return fmt.Errorf("table %q has more than one primary key; name the columns of a key of several in PrimaryKey", t.Name)
	case t.WithoutRowID && keys == 0 && len(t.PrimaryKey) == 0:
		return fmt.Errorf("table %q has neither a rowid nor a primary key", t.Name)
	}
	return t.checkIndexes(names)
}

func (t Table) checkIndexes(columns map[string]bool) error {
	missing := func(name string) bool { return !columns[strings.ToLower(column(name))] }
	if i := slices.IndexFunc(t.PrimaryKey, missing); i >= 0 {
		return fmt.Errorf("table %q has no column %q for its primary key", t.Name, t.PrimaryKey[i])
	}
	names := make(map[string]bool)
	for _, index := range t.Indexes {
		folded := strings.ToLower(index.Name)
		switch i := slices.IndexFunc(index.Columns, missing); {
		case index.Name == "" || len(index.Columns) == 0:
			return fmt.Errorf("table %q has an index without a name or without columns", t.Name)
		case names[folded]:
			return fmt.Errorf("table %q has two indexes %q", t.Name, index.Name)
		case i >= 0:
			return fmt.Errorf("table %q has no column %q for its index %q", t.Name, index.Columns[i], index.Name)
		}
		names[folded] = true
	}
	return nil
}
