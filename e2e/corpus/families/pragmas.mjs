// Every pragma, D1's own and the rest.
import { one } from "./shared.mjs";

export const flags = ["case_sensitive_like", "foreign_keys", "defer_foreign_keys", "ignore_check_constraints", "legacy_alter_table",
  "recursive_triggers", "reverse_unordered_selects"];
export const named = ["table_info", "table_xinfo", "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo", "quick_check"];
export const otherPragmas = [
  "analysis_limit", "application_id", "auto_vacuum", "automatic_index", "busy_timeout", "cache_size", "cache_spill", "cell_size_check",
  "checkpoint_fullfsync", "collation_list", "compile_options", "count_changes", "data_store_directory", "database_list", "default_cache_size",
  "empty_result_callbacks", "encoding", "freelist_count", "full_column_names", "fullfsync", "function_list", "hard_heap_limit",
  "incremental_vacuum", "integrity_check", "journal_mode", "journal_size_limit", "locking_mode", "max_page_count", "mmap_size",
  "module_list", "page_count", "pragma_list", "query_only", "read_uncommitted", "schema_version", "secure_delete",
  "short_column_names", "shrink_memory", "soft_heap_limit", "stats", "synchronous", "temp_store", "temp_store_directory", "threads",
  "trusted_schema", "user_version", "wal_autocheckpoint", "wal_checkpoint", "writable_schema", "no_such_pragma", "miniflare",
  "parser_trace", "vdbe_debug", "vdbe_listing", "vdbe_trace", "vdbe_addoptrace", "activate_extensions", "key", "rekey",
];

export function pragmas() {
  const schema = [
    "CREATE TABLE p(id INTEGER PRIMARY KEY, code TEXT UNIQUE)",
    "CREATE TABLE t(a INT NOT NULL, b TEXT DEFAULT 'x', c AS (a + 1), d REFERENCES p(id) ON DELETE CASCADE)",
    "CREATE INDEX i ON t(b COLLATE NOCASE, a DESC)",
  ];
  const values = ["ON", "OFF", "on", "yes", "no", "true", "FALSE", "0", "1", "2", "'on'", "truex", "maybe", "-1", "NULL", "onward"];
  const cases = flags.map((flag) =>
    one(`flag ${flag}`, `PRAGMA ${flag}`, `PRAGMA main.${flag}`, ...values.map((v) => `PRAGMA ${flag} = ${v}`), `PRAGMA ${flag}(1)`,
      `PRAGMA ${flag}`, `SELECT * FROM pragma_${flag}`, `PRAGMA ${flag.toUpperCase()}`),
  );
  for (const pragma of named) {
    const forms = ["", "(t)", "(i)", "=t", "('t')", "(\"t\")", "(p)", "(nope)", "(1)", "(sqlite_schema)", "(T)"];
    cases.push(one(`named ${pragma}`, ...schema, ...forms.map((form) => `PRAGMA ${pragma}${form}`), `PRAGMA main.${pragma}(t)`,
      `PRAGMA temp.${pragma}(t)`, `SELECT * FROM pragma_${pragma}('t')`, `SELECT * FROM pragma_${pragma}('i')`, `SELECT * FROM pragma_${pragma}`));
  }
  cases.push(one("table_list", ...schema, "PRAGMA table_list", "PRAGMA table_list(t)", "PRAGMA table_list=t", "PRAGMA main.table_list",
    "SELECT schema, name, type, ncol, wr, strict FROM pragma_table_list ORDER BY name", "SELECT * FROM pragma_table_list('t')"));
  for (const pragma of ["data_version", "page_size", "optimize"]) {
    cases.push(one(pragma, ...schema, ...["", "=1", "(4096)", "(0x10002)", "(-1)", "('x')"].map((form) => `PRAGMA ${pragma}${form}`),
      `SELECT * FROM pragma_${pragma}`));
  }
  for (const pragma of otherPragmas) {
    cases.push(one(`other ${pragma}`, `PRAGMA ${pragma}`, `PRAGMA ${pragma} = 1`, `PRAGMA ${pragma}(1)`, `PRAGMA main.${pragma}`,
      `SELECT * FROM pragma_${pragma}`));
  }
  return cases;
}
