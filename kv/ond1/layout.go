package ond1

import (
	"fmt"
	"strings"
)

// nowMS is the database's clock in milliseconds.
const nowMS = "CAST(unixepoch('subsec')*1000 AS INTEGER)"

// layout is the SQL for a table's layout. {now} and the like have been filled in.
type layout struct {
	native bool
	name   string // of a layout that is not native
	// namespaced says that statements take the namespace as their first argument.
	namespaced bool

	// get selects a key's rows: value, chunk, metadata, expiration in ms, version, size.
	// many does for the keys in a JSON array, with the key in front.
	get, many string
	// list selects key, expiration in ms and metadata: from a key on or after it, and up
	// to another or to the end.
	list [2][2]string
	put  string
	del  string
	// delMany takes a JSON array of keys.
	delMany string
}

const (
	from  = 0 // key >= ?
	after = 1 // key > ?
)

func fill(sql, table string) string {
	return strings.NewReplacer("{t}", table, "{now}", nowMS).Replace(sql)
}

func nativeLayout(cfg Config) *layout {
	base := "{now}"
	if cfg.Strict { // whole seconds
		base = "{now}/1000*1000"
	}
	f := func(sql string) string {
		return fill(strings.NewReplacer("{alive}", "(e.expiration IS NULL OR e.expiration > {now})",
			"{expiration}", "COALESCE(?, "+base+" + ?)").Replace(sql), cfg.Table.Name)
	}
	const columns = "e.value, c.data, e.metadata, e.expiration, CAST(e.version AS TEXT), e.size"
	const chunks = ` LEFT JOIN "{t}_chunks" AS c ON c.id >= e.chunk AND c.id < e.chunk + e.chunks`
	l := &layout{
		native: true, namespaced: true,
		get: f("SELECT " + columns + ` FROM "{t}" AS e` + chunks +
			" WHERE e.namespace = ? AND e.key = ? AND {alive} ORDER BY c.id"),
		many: f("SELECT e.key, " + columns + " FROM json_each(?) AS j CROSS JOIN " + `"{t}" AS e` +
			" ON e.namespace = ? AND e.key = j.value" + chunks + " WHERE {alive}"), // the loops are nested in this order, so chunks come in theirs
		put: f(`INSERT INTO "{t}" (namespace, key, version, expiration, metadata, size, chunk, chunks, value) ` +
			"VALUES (?, ?, ?, {expiration}, ?, ?, ?, ?, ?)" + replace),
		del:     f(`DELETE FROM "{t}" WHERE namespace = ? AND key = ?`),
		delMany: f(`DELETE FROM "{t}" WHERE namespace = ? AND key IN (SELECT value FROM json_each(?))`),
	}
	l.list = lists(f("SELECT e.key, e.expiration, e.metadata FROM " + `"{t}" AS e WHERE e.namespace = ? AND {alive}`))
	return l
}

const replace = " ON CONFLICT (namespace, key) DO UPDATE SET version = excluded.version, " +
	"expiration = excluded.expiration, metadata = excluded.metadata, size = excluded.size, " +
	"chunk = excluded.chunk, chunks = excluded.chunks, value = excluded.value"

// lists completes the SQL of a list. One lower bound is all that SQLite uses, so there is
// never more than one.
func lists(sql string) (forms [2][2]string) {
	for i, lower := range []string{" AND e.key >= ?", " AND e.key > ?"} {
		for j, upper := range []string{"", " AND e.key < ?"} {
			forms[i][j] = sql + lower + upper + " ORDER BY e.key LIMIT ?"
		}
	}
	return forms
}

// layoutOf recognises a layout by its columns. nil means that there is no table.
func layoutOf(cfg Config, columns map[string]bool) (*layout, error) {
	has := func(names ...string) bool {
		for _, name := range names {
			if !columns[name] {
				return false
			}
		}
		return true
	}
	switch {
	case len(columns) == 0:
		return nil, nil
	case has("namespace", "key", "version", "expiration", "metadata", "size", "chunk", "chunks", "value"):
		return nativeLayout(cfg), nil
	case has("namespace", "key", "value", "ttl_seconds", "created_at", "metadata"):
		return oldest(cfg), nil
	case has("key", "value", "expiration", "metadata") && !columns["namespace"]:
		return older(cfg), nil
	}
	return nil, fmt.Errorf("the table %s exists, and is not one for a KV namespace; choose another Table.Name", cfg.Table.Name)
}

// older is the layout of d1-namespace 1.1: a table for each namespace, expiration in seconds.
func older(cfg Config) *layout {
	f := func(sql string) string {
		return fill(strings.ReplaceAll(sql, "{alive}", "(e.expiration IS NULL OR e.expiration > {now}/1000)"), cfg.Table.Name)
	}
	const columns = "e.value, NULL, e.metadata, CAST(e.expiration AS INTEGER) * 1000, '', 0"
	l := &layout{
		name:    "d1-namespace 1.1",
		get:     f("SELECT " + columns + ` FROM "{t}" AS e WHERE e.key = ? AND {alive}`),
		many:    f("SELECT e.key, " + columns + ` FROM json_each(?) AS j CROSS JOIN "{t}" AS e ON e.key = j.value WHERE {alive}`),
		put:     f(`INSERT INTO "{t}" (key, value, metadata, expiration) VALUES (?, ?, ?, COALESCE(?, {now}/1000 + ?)) ON CONFLICT (key) DO UPDATE SET value = excluded.value, metadata = excluded.metadata, expiration = excluded.expiration`),
		del:     f(`DELETE FROM "{t}" WHERE key = ?`),
		delMany: f(`DELETE FROM "{t}" WHERE key IN (SELECT value FROM json_each(?))`),
	}
	l.list = lists(f(`SELECT e.key, CAST(e.expiration AS INTEGER) * 1000, e.metadata FROM "{t}" AS e WHERE {alive}`))
	return l
}

// oldest is the layout of d1-namespace 1.0: created_at and ttl_seconds give a generated
// expires_at.
func oldest(cfg Config) *layout {
	f := func(sql string) string {
		return fill(strings.ReplaceAll(sql, "{alive}", "(e.expires_at IS NULL OR e.expires_at > {now}/1000)"), cfg.Table.Name)
	}
	const columns = "e.value, NULL, e.metadata, CAST(e.expires_at AS INTEGER) * 1000, '', 0"
	l := &layout{
		name: "d1-namespace 1.0", namespaced: true,
		get:     f("SELECT " + columns + ` FROM "{t}" AS e WHERE e.namespace = ? AND e.key = ? AND {alive}`),
		many:    f("SELECT e.key, " + columns + ` FROM json_each(?) AS j CROSS JOIN "{t}" AS e ON e.namespace = ? AND e.key = j.value WHERE {alive}`),
		put:     f(`INSERT INTO "{t}" (namespace, key, value, metadata, ttl_seconds, created_at) VALUES (?, ?, ?, ?, COALESCE(? - {now}/1000, ?), {now}/1000) ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, metadata = excluded.metadata, ttl_seconds = excluded.ttl_seconds, created_at = excluded.created_at`),
		del:     f(`DELETE FROM "{t}" WHERE namespace = ? AND key = ?`),
		delMany: f(`DELETE FROM "{t}" WHERE namespace = ? AND key IN (SELECT value FROM json_each(?))`),
	}
	l.list = lists(f(`SELECT e.key, CAST(e.expires_at AS INTEGER) * 1000, e.metadata FROM "{t}" AS e WHERE e.namespace = ? AND {alive}`))
	return l
}
