// Package dialect writes the DDL of tables that more than one tool must create alike: a
// program at run time, and a migration that was generated for it. It depends on nothing
// but the standard library and the reader of SQL beside it.
//
// [TableOf] makes a [Table] of a Go struct; its fields' ddl tags say what their types
// do not. [Table.DDL] has the statements.
//
//	type User struct {
//		_     struct{}  `ddl:"table=users"`
//		ID    int64     `ddl:"pk"`
//		Email string    `ddl:"unique"`
//		Born  *time.Time
//	}
//
// The functions with lunora's names do what lunora's dialect does, so that tables of its
// making can be read and made.
package dialect

import "github.com/skylite-go/skylite/internal/sqltext"

// SQLAffinity is the affinity of a column, which is also its declared type.
type SQLAffinity string

// The affinities that lunora's tables have.
const (
	AffinityBlob    SQLAffinity = "BLOB"
	AffinityInteger SQLAffinity = "INTEGER"
	AffinityReal    SQLAffinity = "REAL"
	AffinityText    SQLAffinity = "TEXT"
)

const (
	// MaxTableColumns is how many columns D1 lets a table have;
	// developers.cloudflare.com/d1/platform/limits.
	MaxTableColumns = 100
	// OCCVersionColumn is lunora's column for optimistic concurrency.
	OCCVersionColumn = "_version"
)

// QuoteIdentifier returns a name as SQL takes it, whatever is in it but a NUL byte:
// "name", with quotes in it doubled.
func QuoteIdentifier(name string) string { return sqltext.QuoteIdent(name) }

// SQLAffinityForKind returns the affinity in which lunora stores a value of a kind of
// its schemas. All that it does not name, such as bigint, object and the empty kind, is
// TEXT.
func SQLAffinityForKind(kind string) SQLAffinity {
	switch kind {
	case "boolean":
		return AffinityInteger
	case "bytes":
		return AffinityBlob
	case "number", "timestamp", "date":
		return AffinityReal
	}
	return AffinityText
}

// FrameworkColumns are the columns that every table of lunora's begins with.
func FrameworkColumns() []Column {
	return []Column{
		{Name: "id", Type: string(AffinityText), PrimaryKey: true, Nullable: true},
		{Name: "_creationTime", Type: string(AffinityReal)},
	}
}

// FrameworkColumnDDL is the DDL of [FrameworkColumns], in order.
func FrameworkColumnDDL() []string {
	var ddl []string
	for _, c := range FrameworkColumns() {
		ddl = append(ddl, c.ddl(true))
	}
	return ddl
}

// ColumnRef returns the quoted column that a field of lunora's is stored in: _id is in
// id, every other in its own.
func ColumnRef(field string) string { return QuoteIdentifier(column(field)) }

func column(field string) string {
	if field == "_id" {
		return "id"
	}
	return field
}

// PhysicalIndexName returns the quoted name of a table's index. SQLite has one space of
// names for the indexes of all tables, so the table's name is part of it.
func PhysicalIndexName(table, index string) string { return QuoteIdentifier(indexName(table, index)) }

func indexName(table, index string) string { return table + "_" + index }
