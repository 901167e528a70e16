package ond1

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/dialect"
)

func plainName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

// reserved names are SQLite's and Cloudflare's own.
func reserved(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "sqlite_") || strings.HasPrefix(name, "_cf_")
}

const maxTableName = 128

func defaultTable(namespace string) string {
	const suffix = "_kv_entries"
	name := namespace + suffix
	if namespace != "" && !plainName(namespace) || reserved(name) || len(name) > maxTableName {
		return suffix
	}
	return name
}

func checkTable(name string) error {
	switch {
	case !plainName(name):
		return fmt.Errorf("kv: invalid table name %.100q: allowed are A to Z, a to z, 0 to 9 and _", name)
	case reserved(name):
		return fmt.Errorf("kv: invalid table name %.100q: names that begin with sqlite_ or _cf_ are reserved", name)
	case len(name) > maxTableName:
		return fmt.Errorf("kv: the table's name has %d bytes; it may have %d", len(name), maxTableName)
	}
	return nil
}

// Schema returns the SQL that makes a table for namespaces and what belongs to it, one
// statement each. Tables that exist are left alone.
func Schema(table string) ([]string, error) {
	if err := checkTable(table); err != nil {
		return nil, err
	}
	return schema(table)
}

// schema: expiration is in milliseconds, chunk the number of the first of the chunks.
func schema(table string) ([]string, error) {
	entries := dialect.Table{
		Name: table,
		Columns: []dialect.Column{
			{Name: "namespace", Type: "TEXT"},
			{Name: "key", Type: "TEXT"},
			{Name: "version", Type: "INTEGER"},
			{Name: "expiration", Type: "INTEGER", Nullable: true},
			{Name: "metadata", Type: "TEXT", Nullable: true},
			{Name: "size", Type: "INTEGER"},
			{Name: "chunk", Type: "INTEGER", Nullable: true},
			{Name: "chunks", Type: "INTEGER"},
			{Name: "value", Nullable: true},
		},
		PrimaryKey:   []string{"namespace", "key"},
		WithoutRowID: true,
		Indexes:      []dialect.Index{{Name: "expiration", Columns: []string{"expiration"}, Where: "expiration IS NOT NULL"}},
	}
	chunks := dialect.Table{
		Name:    table + "_chunks",
		Columns: []dialect.Column{{Name: "id", Type: "INTEGER", PrimaryKey: true, Nullable: true}, {Name: "data"}},
	}
	script, err := entries.DDL()
	if err != nil {
		return nil, err
	}
	more, err := chunks.DDL()
	if err != nil {
		return nil, err
	}
	script = append(script, more...)
	for _, trigger := range []string{
		`CREATE TRIGGER IF NOT EXISTS "{t}_deleted" AFTER DELETE ON "{t}" WHEN OLD.chunk IS NOT NULL BEGIN
	DELETE FROM "{t}_chunks" WHERE id >= OLD.chunk AND id < OLD.chunk + OLD.chunks;
END`,
		`CREATE TRIGGER IF NOT EXISTS "{t}_updated" AFTER UPDATE OF chunk ON "{t}"
WHEN OLD.chunk IS NOT NULL AND OLD.chunk IS NOT NEW.chunk BEGIN
	DELETE FROM "{t}_chunks" WHERE id >= OLD.chunk AND id < OLD.chunk + OLD.chunks;
END`,
	} {
		script = append(script, strings.ReplaceAll(trigger, "{t}", table))
	}
	return script, nil
}

// Create makes the table now, if it does not exist, and not with the first write.
func (ns *Namespace) Create(ctx context.Context) error {
	if err := ns.enter("create", ""); err != nil {
		return err
	}
	defer ns.active.Done()
	_, err := ns.learn(ctx, nil, true, nil)
	return convert("create", "", err)
}

// finding is what was found out about a table.
type finding uint8

const (
	otherwise finding = iota // it is not as it was thought to be, or has been made: try again
	asThought                // it is, so the fault is the request's
	noTable                  // there is none, and none is made
)

// learn finds out what a table is like, after a request that took it to be like was has failed,
// and makes it, if it is to be written and may be made.
func (ns *Namespace) learn(ctx context.Context, was *layout, write bool, failure error) (finding, error) {
	ns.create.Lock()
	defer ns.create.Unlock()
	if l := ns.layout.Load(); was != nil && l != was {
		return otherwise, nil // somebody else has found out
	}
	columns, err := ns.columns(ctx)
	if err != nil {
		return 0, err
	}
	l, err := layoutOf(ns.cfg, columns)
	switch {
	case err != nil:
		return 0, err
	case l != nil && !l.native:
		if was != nil && was.name == l.name {
			return asThought, nil
		}
		ns.layout.Store(l)
		return otherwise, nil
	case l != nil && failure != nil && !strings.Contains(failure.Error(), "no such table: "):
		return asThought, nil
	case l == nil && ns.cfg.Table.NoAutoCreate && write:
		return 0, d1.NewError(fmt.Sprintf("no such table: %s; make it, or let NoAutoCreate be false", ns.cfg.Table.Name))
	case l == nil && !write:
		return noTable, nil
	case ns.cfg.Table.NoAutoCreate:
		return asThought, nil
	}
	script, err := schema(ns.cfg.Table.Name)
	if err != nil {
		return 0, err
	}
	var statements []d1.Statement
	for _, sql := range script {
		statements = append(statements, d1.Statement{SQL: sql})
	}
	return otherwise, ns.send(ctx, statements, nil)
}

// columns returns the names of the table's columns, or none if there is no table.
func (ns *Namespace) columns(ctx context.Context) (map[string]bool, error) {
	columns := map[string]bool{}
	sql := `PRAGMA table_info("` + ns.cfg.Table.Name + `")`
	err := ns.send(ctx, []d1.Statement{{SQL: sql}}, func(results *d1.Results) error {
		for results.NextResult() {
			for results.Next() {
				columns[strings.ToLower(string(results.Row()[1].Bytes()))] = true
			}
		}
		return results.Err()
	})
	return columns, err
}

// isSchema reports whether a request failed because a table is not as it was thought to be.
func isSchema(err error) bool {
	e, ok := errors.AsType[*d1.Error](err)
	return ok && (strings.Contains(e.Message, "no such table: ") || strings.Contains(e.Message, "no such column: ") ||
		strings.Contains(e.Message, "has no column named ") ||
		strings.Contains(e.Message, "ON CONFLICT clause does not match"))
}

// isCollision reports whether a chunk's number was taken.
func isCollision(err error) bool {
	e, ok := errors.AsType[*d1.Error](err)
	return ok && strings.Contains(e.Message, "UNIQUE constraint failed: ") && strings.Contains(e.Message, "_chunks.id")
}
