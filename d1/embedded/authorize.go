package embedded

import (
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// transactionRefused is D1's answer to BEGIN, COMMIT, SAVEPOINT and the like.
const transactionRefused = "To execute a transaction, please use the state.storage.transaction() or " +
	"state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. " +
	"The JavaScript API is safer because it will automatically roll back on exceptions, and because it " +
	"interacts correctly with Durable Objects' automatic atomic write coalescing."

// permits is what the authorizer of a connection knows and learns.
type permits struct {
	trusted   bool // the statement is our own
	looksBack bool // the statement asks how many rows the one before it has changed
	stateful  bool // the statement asks for what the writer's connection remembers
	// ownSeries says that the database has a table of its own with the name of one
	// that this engine has built in and D1 does not have.
	ownSeries bool
	// emptyArg says that the statement has an empty text, which the argument of a
	// PRAGMA may be: the authorizer is told the same of that as of none.
	emptyArg bool
	refused  refusal
}

const (
	seriesTable     = "generate_series"
	functionRefused = "not authorized to use function: "
)

// refusal is why a statement was refused, where D1 has other words for it than the
// engine.
type refusal struct {
	transaction bool // it controls a transaction
	function    bool // it calls a function that D1 does not have at all
	series      bool // it reads seriesTable
}

// explain puts an error into D1's words.
func (r refusal) explain(sql string, err error) error {
	e, ok := err.(*d1.Error)
	switch {
	case r.transaction:
		return d1.NewError(transactionRefused)
	case ok && r.function && !inDefault(sql, e.Offset):
		if rest, ok := strings.CutPrefix(e.Message, functionRefused); ok {
			return d1.NewError("no such function: " + rest)
		}
	case ok && strings.HasPrefix(e.Message, "no such table: pragma_default_cache_size"):
		return engineError("not authorized", -1, int(sqlite3.AUTH)) // SQLite's deprecated part
	case r.series:
		return engineError("no such table: "+seriesTable, -1, sqlitecode.Error)
	}
	return err
}

// authorize applies workerd's rules, as its SqliteDatabase::isAuthorized has them.
func (p *permits) authorize(action sqlite3.AuthorizerActionCode, a, b, schema, _ string) sqlite3.AuthorizerReturnCode {
	if p.trusted || p.allowed(action, a, b, schema) {
		return sqlite3.AUTH_OK
	}
	return sqlite3.AUTH_DENY
}

func (p *permits) allowed(action sqlite3.AuthorizerActionCode, a, b, schema string) bool {
	if action == sqlite3.AUTH_ALTER_TABLE {
		a, schema = b, a
	}
	switch schema {
	case "", "main":
	case "temp":
		return (action == sqlite3.AUTH_READ || action == sqlite3.AUTH_UPDATE) && allowedName(a)
	default:
		return false
	}
	switch action {
	case sqlite3.AUTH_SELECT, sqlite3.AUTH_RECURSIVE, sqlite3.AUTH_ANALYZE:
		return true
	case sqlite3.AUTH_CREATE_TABLE, sqlite3.AUTH_DELETE, sqlite3.AUTH_DROP_TABLE, sqlite3.AUTH_INSERT,
		sqlite3.AUTH_CREATE_VIEW, sqlite3.AUTH_DROP_VIEW, sqlite3.AUTH_REINDEX, sqlite3.AUTH_ALTER_TABLE,
		sqlite3.AUTH_READ, sqlite3.AUTH_UPDATE:
		if strings.EqualFold(a, seriesTable) && !p.ownSeries {
			p.refused.series = true
			return false
		}
		return allowedName(a)
	case sqlite3.AUTH_CREATE_INDEX, sqlite3.AUTH_DROP_INDEX, sqlite3.AUTH_CREATE_TRIGGER, sqlite3.AUTH_DROP_TRIGGER:
		return allowedName(a) && allowedName(b)
	case sqlite3.AUTH_CREATE_VTABLE, sqlite3.AUTH_DROP_VTABLE:
		return allowedModule(b) && allowedName(a)
	case sqlite3.AUTH_TRANSACTION, sqlite3.AUTH_SAVEPOINT:
		p.refused.transaction = true
		return false
	case sqlite3.AUTH_PRAGMA:
		return allowedPragma(a, b, b != "" || p.emptyArg)
	case sqlite3.AUTH_FUNCTION:
		name := strings.ToLower(b) // in a DEFAULT it comes as it is written
		switch name {
		case "last_insert_rowid", "changes", "total_changes":
			p.stateful = true
			p.looksBack = p.looksBack || b == "changes"
		}
		p.refused.function = p.refused.function || absentFunction(name)
		return allowedFunctions[name]
	}
	return false
}

// allowedName reports whether a name is outside Cloudflare's own.
func allowedName(name string) bool {
	return len(name) < 4 || !strings.EqualFold(name[:4], "_cf_")
}

func allowedModule(name string) bool {
	switch strings.ToLower(name) {
	case "fts5", "fts5vocab", "rtree", "rtree_i32":
		return true
	}
	return false
}

// allowedPragma knows workerd's list.
func allowedPragma(name, arg string, given bool) bool {
	name = strings.ToLower(name)
	if isSetting(name) {
		return !given || isBoolean(arg)
	}
	switch name {
	case "table_list":
		return true
	case "table_info", "table_xinfo", "foreign_key_list", "index_info", "index_list", "index_xinfo":
		return given && allowedName(arg)
	case "foreign_key_check":
		return allowedName(arg)
	case "data_version", "page_size":
		return !given
	case "quick_check":
		_, err := strconv.ParseUint(arg, 0, 32)
		return err == nil || allowedName(arg)
	case "optimize":
		_, err := strconv.ParseInt(arg, 0, 32)
		return !given || err == nil
	}
	return false
}

// isBoolean takes what workerd takes: a value that begins like a boolean.
func isBoolean(arg string) bool {
	if n := len(arg); n >= 2 && (arg[0] == '\'' || arg[0] == '"') && arg[n-1] == arg[0] {
		arg = arg[1 : n-1]
	}
	arg = strings.ToLower(arg)
	for _, word := range []string{"true", "false", "yes", "no", "on", "off", "1", "0"} {
		if strings.HasPrefix(arg, word) {
			return true
		}
	}
	return false
}

// absentFunction reports whether a function of this engine, named in lower case, is
// one that D1's does not have.
func absentFunction(name string) bool {
	switch name {
	case "soundex", "regexp", "regexpi", "base64", "base85", "is_base85":
		return true
	}
	for _, family := range []string{"geopoly_", "decimal", "ieee754", "regexp_"} {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}

// allowedFunctions are the functions of D1, by SQLite's own names.
var allowedFunctions = func() map[string]bool {
	const names = `
		abs changes char coalesce concat concat_ws format glob hex ifnull iif instr
		last_insert_rowid length like likelihood likely load_extension lower ltrim
		max min nullif octet_length printf quote random randomblob replace round
		rtrim sign substr substring total_changes trim typeof unhex unicode
		unlikely upper zeroblob
		date time datetime julianday unixepoch strftime timediff
		current_date current_time current_timestamp
		avg count group_concat string_agg sum total
		row_number rank dense_rank percent_rank cume_dist ntile lag lead
		first_value last_value nth_value
		acos acosh asin asinh atan atan2 atanh ceil cos cosh degrees exp floor ln
		log log2 mod pi pow radians sin sinh sqrt tan tanh trunc
		json jsonb json_array jsonb_array json_array_length json_extract
		jsonb_extract -> ->> json_insert jsonb_insert json_object jsonb_object
		json_patch jsonb_patch json_remove jsonb_remove json_replace jsonb_replace
		json_set jsonb_set json_type json_valid json_quote json_group_array
		jsonb_group_array json_group_object jsonb_group_object json_each json_tree
		match highlight bm25 snippet rtreecheck
		sqlite_rename_column sqlite_rename_table sqlite_rename_test
		sqlite_drop_column sqlite_rename_quotefix`
	allowed := make(map[string]bool)
	for _, name := range strings.Fields(names) {
		allowed[name] = true
	}
	return allowed
}()
