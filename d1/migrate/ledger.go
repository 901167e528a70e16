package migrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// ledger is a table that says which migrations were applied.
type ledger interface {
	// table is its name.
	table() string
	// exists says whether the database has it.
	exists() bool
	// create makes it.
	create() string
	// knows says whether the unit can be in it.
	knows(u *unit) bool
	// find returns when the unit was recorded, if it is.
	find(u *unit) (at time.Time, ok bool)
	// insert records the unit, or fails if it is recorded.
	insert(u *unit, now time.Time) string
	// present fails if the unit is not recorded.
	present(u *unit) string
	// remove takes the unit out.
	remove(u *unit) string
	// changed says whether the unit was recorded with another text.
	changed(u *unit) bool
}

// outrun is how a batch says that the ledger is not what it was: another runner was here.
const outrun = "skylite: another runner was faster"

// guarded is an expression: value, unless a row fits the condition, and then an error.
// An error in a batch undoes all of it, so the unique index that some of these tables lack
// is not needed.
func guarded(table, condition, value string) string {
	return "CASE WHEN EXISTS (SELECT 1 FROM " + table + " WHERE " + condition + ") THEN json_extract('{}', '" +
		outrun + "') ELSE " + value + " END"
}

// required is a statement that fails unless a row fits the condition.
func required(table, condition string) string {
	return "SELECT CASE WHEN EXISTS (SELECT 1 FROM " + table + " WHERE " + condition + ") THEN 1 ELSE json_extract('{}', '" +
		outrun + "') END"
}

// wranglerLedger is wrangler's: a row for each path.
type wranglerLedger struct {
	name  string
	there bool
	rows  map[string]string // path to applied_at
	order []string
}

func (l *wranglerLedger) table() string      { return l.name }
func (l *wranglerLedger) exists() bool       { return l.there }
func (l *wranglerLedger) knows(u *unit) bool { return u.path != "" }
func (l *wranglerLedger) changed(*unit) bool { return false } // it has no hashes

func (l *wranglerLedger) create() string {
	return "CREATE TABLE IF NOT EXISTS " + sqltext.QuoteIdent(l.name) + "(\n" +
		"\t\tid         INTEGER PRIMARY KEY AUTOINCREMENT,\n" +
		"\t\tname       TEXT UNIQUE,\n" +
		"\t\tapplied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL\n)"
}

func (l *wranglerLedger) find(u *unit) (time.Time, bool) {
	at, ok := l.rows[u.path]
	t, _ := time.Parse(time.DateTime, at)
	return t, ok && u.path != ""
}

func (l *wranglerLedger) insert(u *unit, _ time.Time) string {
	table, name := sqltext.QuoteIdent(l.name), sqltext.QuoteString(u.path)
	return "INSERT INTO " + table + " (name) VALUES (" + guarded(table, "name = "+name, name) + ")"
}

func (l *wranglerLedger) present(u *unit) string {
	return required(sqltext.QuoteIdent(l.name), "name = "+sqltext.QuoteString(u.path))
}

func (l *wranglerLedger) remove(u *unit) string {
	return "DELETE FROM " + sqltext.QuoteIdent(l.name) + " WHERE name = " + sqltext.QuoteString(u.path)
}

// drizzleLedger is __drizzle_migrations, which three tools write, each in its own way.
type drizzleLedger struct {
	there bool
	// named says that it has the columns name and applied_at, as drizzle 1.x and we make
	// it; foreign that neither we nor lunora made it, which shows in hash not being
	// unique.
	named, foreign bool
	// id says how a project's migrations are known.
	id     drizzleID
	rows   []drizzleRow
	byHash map[string]int // where in rows
}

type drizzleRow struct {
	hash  string
	when  int64 // milliseconds; 0 if there is none
	name  string
	named bool // name is not NULL
}

func (l *drizzleLedger) table() string      { return drizzleTable }
func (l *drizzleLedger) exists() bool       { return l.there }
func (l *drizzleLedger) knows(u *unit) bool { return u.drizzle != notDrizzle }

// create makes the table as the tool makes it whose migrations these are. The columns
// name and applied_at are drizzle 1.x's; lunora and drizzle 0.x do not mind them.
func (l *drizzleLedger) create() string {
	columns := map[drizzleID]string{
		byHash: "(id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, created_at NUMERIC, name TEXT, applied_at TEXT)",
		byWhen: "(id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)",
		byTag:  "(id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric, name text, applied_at TEXT)",
	}
	return "CREATE TABLE IF NOT EXISTS " + drizzleTable + " " + columns[l.id]
}

// row returns the row that records the unit.
func (l *drizzleLedger) row(u *unit) *drizzleRow {
	if u.drizzle == byHash {
		for _, hash := range []string{u.hash, u.otherHashes[0], u.otherHashes[1]} {
			if i, ok := l.byHash[hash]; ok && hash != "" {
				return &l.rows[i]
			}
		}
		return nil
	}
	for i := range l.rows {
		if row := &l.rows[i]; l.fits(u, row) {
			return row
		}
	}
	return nil
}

func (l *drizzleLedger) fits(u *unit, row *drizzleRow) bool {
	switch u.drizzle {
	case byHash:
		return u.hasHash(row.hash)
	case byWhen:
		return row.when == u.when || !row.named && u.hasHash(row.hash)
	case byTag:
		if l.named {
			return row.named && row.name == u.tag
		}
		return row.when/1000 == u.when/1000 || u.hasHash(row.hash)
	}
	return false
}

func (l *drizzleLedger) find(u *unit) (time.Time, bool) {
	row := l.row(u)
	if row == nil {
		return time.Time{}, false
	}
	if row.when == 0 || u.drizzle != byHash {
		return time.Time{}, true // it says when the migration was made
	}
	return time.UnixMilli(row.when).UTC(), true
}

func (l *drizzleLedger) changed(u *unit) bool {
	if u.drizzle != byHash {
		row := l.row(u)
		return row != nil && row.hash != "" && !u.hasHash(row.hash)
	}
	if l.row(u) != nil {
		return false
	}
	return slices.ContainsFunc(l.rows, func(row drizzleRow) bool { return row.named && row.name == u.tag })
}

// condition is what a row that records the unit fulfils.
func (l *drizzleLedger) condition(u *unit) string {
	switch u.drizzle {
	case byWhen:
		return "created_at = " + strconv.FormatInt(u.when, 10)
	case byTag:
		return "name = " + sqltext.QuoteString(u.tag)
	}
	return "hash = " + sqltext.QuoteString(u.hash)
}

func (l *drizzleLedger) insert(u *unit, now time.Time) string {
	when := strconv.FormatInt(u.when, 10)
	if u.drizzle == byHash {
		when = strconv.FormatInt(now.UnixMilli(), 10)
		if l.foreign {
			// drizzle 0.x goes by the newest created_at, and must not see this one.
			when = "NULL"
		}
	}
	hash := guarded(drizzleTable, l.condition(u), sqltext.QuoteString(u.hash))
	if !l.named && (l.there || l.id == byWhen) {
		return fmt.Sprintf("INSERT INTO %s (hash, created_at) VALUES (%s, %s)", drizzleTable, hash, when)
	}
	name := sqltext.QuoteString(u.tag)
	if u.drizzle == byWhen {
		name = sqltext.QuoteString(strings.TrimSuffix(u.path, ".sql"))
	}
	return fmt.Sprintf("INSERT INTO %s (hash, created_at, name, applied_at) VALUES (%s, %s, %s, %s)", drizzleTable,
		hash, when, name, sqltext.QuoteString(now.UTC().Format("2006-01-02T15:04:05.000Z")))
}

func (l *drizzleLedger) present(u *unit) string { return required(drizzleTable, l.recorded(u)) }

// recorded is the condition of the row that was found, which may have another hash, for
// other ends of lines, or another time.
func (l *drizzleLedger) recorded(u *unit) string {
	if row := l.row(u); row != nil && (u.drizzle == byHash || u.drizzle == byWhen && row.when != u.when) {
		return "hash = " + sqltext.QuoteString(row.hash)
	}
	return l.condition(u)
}

func (l *drizzleLedger) remove(u *unit) string {
	return "DELETE FROM " + drizzleTable + " WHERE " + l.recorded(u)
}
