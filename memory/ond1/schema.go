package ond1

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/dialect"
)

// schemaVersion is the version of the tables that this package makes.
const schemaVersion = 1

// tables returns the tables of a layout, that of the version left out.
func (x *texts) tables() []dialect.Table {
	text := func(name string) dialect.Column { return dialect.Column{Name: name, Type: "TEXT"} }
	null := func(c dialect.Column) dialect.Column { c.Nullable = true; return c }
	when := func(name string) dialect.Column { return dialect.Column{Name: name, Type: "TIMESTAMP"} }
	id := dialect.Column{Name: "id", Type: "TEXT", PrimaryKey: true}
	threads := dialect.Table{Name: x.threads,
		Columns: []dialect.Column{id, text("resourceId"), text("title"), null(text("metadata")),
			when("createdAt"), when("updatedAt"), null(when("archivedAt"))},
		Indexes: []dialect.Index{
			{Name: "resource_created", Columns: []string{"resourceId", "createdAt"}},
			{Name: "resource_updated", Columns: []string{"resourceId", "updatedAt"}},
			{Name: "created", Columns: []string{"createdAt"}},
			{Name: "updated", Columns: []string{"updatedAt"}},
		}}
	messages := dialect.Table{Name: x.messages,
		Columns: []dialect.Column{id, text("thread_id"), text("content"), text("role"), text("type"),
			when("createdAt"), null(text("resourceId"))},
		Indexes: []dialect.Index{
			{Name: "thread_created", Columns: []string{"thread_id", "createdAt"}},
			{Name: "resource_created", Columns: []string{"resourceId", "createdAt"}},
		}}
	resources := dialect.Table{Name: x.resources,
		Columns: []dialect.Column{id, null(text("workingMemory")), null(text("metadata")), when("createdAt"), when("updatedAt")}}
	if x.mastra {
		return []dialect.Table{threads, messages, resources}
	}
	messages.Columns = append(messages.Columns, null(text("chunked")))
	chunks := dialect.Table{Name: x.chunks, WithoutRowID: true, PrimaryKey: []string{"message_id", "n"},
		Columns: []dialect.Column{text("message_id"), {Name: "n", Type: "INTEGER"}, text("data")}}
	return []dialect.Table{threads, messages, chunks, resources}
}

func (x *texts) layoutName() string {
	if x.mastra {
		return "mastra"
	}
	return "default"
}

// ensure makes the tables, once.
func (s *Store) ensure(ctx context.Context) error {
	if s.ready.Load() {
		return nil
	}
	return s.Init(ctx)
}

// Init makes the tables, and adds the columns and indexes that they lack. The first call
// of any other method does that too, unless DisableInit is set. Nothing is dropped, and
// any number of programs may do it at once.
func (s *Store) Init(ctx context.Context) error {
	select {
	case <-s.initer:
		defer func() { s.initer <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for attempt := 1; ; attempt++ {
		err := s.initOnce(ctx)
		if err == nil {
			s.ready.Store(true)
			return nil
		}
		// Another program may just have added the same column.
		if attempt == 5 || !isSQL(err, "duplicate column name") {
			return fmt.Errorf("memory: making the tables: %w", err)
		}
	}
}

func (s *Store) initOnce(ctx context.Context) error {
	version := 0
	err := s.send(ctx, []d1.Statement{{SQL: s.sql.fill("SELECT version FROM {s} WHERE layout = ?"), Args: []any{s.sql.layoutName()}}},
		func(_ int, r *d1.Results) error {
			for r.Next() {
				if err := r.Scan(&version); err != nil {
					return err
				}
			}
			return r.Err()
		})
	if err != nil && !isSQL(err, "no such table") {
		return err
	}
	if version >= schemaVersion {
		return nil
	}
	ddl, err := s.missing(ctx)
	if err != nil {
		return err
	}
	return s.send(ctx, ddl, nil)
}

// missing returns the statements that make what is not there, and record the version.
func (s *Store) missing(ctx context.Context) ([]d1.Statement, error) {
	tables := s.sql.tables()
	tables = append(tables, dialect.Table{Name: s.sql.schema, Columns: []dialect.Column{
		{Name: "layout", Type: "TEXT", PrimaryKey: true}, {Name: "version", Type: "INTEGER"}}})
	pragmas := make([]d1.Statement, len(tables))
	for i, t := range tables {
		pragmas[i].SQL = "PRAGMA table_info(" + dialect.QuoteIdentifier(t.Name) + ")"
	}
	columns := make([]map[string]bool, len(tables))
	err := s.send(ctx, pragmas, func(i int, r *d1.Results) error {
		columns[i] = map[string]bool{}
		for r.Next() {
			columns[i][strings.ToLower(string(r.Row()[1].Bytes()))] = true
		}
		return r.Err()
	})
	if err != nil {
		return nil, err
	}
	var statements []d1.Statement
	for i, t := range tables {
		ddl, err := t.DDL()
		if err != nil {
			return nil, err
		}
		create, indexes := ddl[0], ddl[1:]
		if len(columns[i]) == 0 {
			statements = append(statements, d1.Statement{SQL: create})
		} else {
			added, err := addColumns(t, columns[i])
			if err != nil {
				return nil, err
			}
			statements = append(statements, added...)
		}
		for _, index := range indexes {
			statements = append(statements, d1.Statement{SQL: index})
		}
	}
	return append(statements, d1.Statement{SQL: s.sql.fill("INSERT INTO {s} (layout, version) VALUES (?, ?) " +
		"ON CONFLICT (layout) DO UPDATE SET version = max(version, excluded.version)"), Args: []any{s.sql.layoutName(), schemaVersion}}), nil
}

func addColumns(t dialect.Table, have map[string]bool) ([]d1.Statement, error) {
	var statements []d1.Statement
	for _, c := range t.Columns {
		switch {
		case have[strings.ToLower(c.Name)]:
		case !c.Nullable:
			return nil, fmt.Errorf("the table %s exists, and has no column %s: it is not one for conversations; choose another TablePrefix", t.Name, c.Name)
		default:
			statements = append(statements, d1.Statement{SQL: dialect.AddColumn(t.Name, c)})
		}
	}
	return statements, nil
}

// isSQL reports whether an error is the database's, with a text.
func isSQL(err error, text string) bool {
	e, ok := errors.AsType[*d1.Error](err)
	return ok && strings.Contains(e.Message, text)
}
