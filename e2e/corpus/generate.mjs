// Writes the families of cases that are products of two lists: every kind of
// parameter through every operator, every function, every pragma, and so on.
// Usage: npm run generate. It writes the files named generated-*.json.
import { writeFile } from "node:fs/promises";
import { formatCases } from "./format.mjs";
import { functions } from "./functions.mjs";

const one = (name, ...sqls) => ({ name, requests: sqls.map((sql) => ({ sql })) });

// Every kind of value JSON can carry to a statement.
const kinds = [
  1, 0, -7, 1.5, -0.5, 1e-7, 100, 4294967296, 9007199254740991, 9007199254740993,
  9223372036854775807, 1e21, -1e300, true, false, null,
  "", "text", "1", "1.0", "01", " 1 ", "1e2", "-5abc", "é🙈", "a\u0000b", "it's",
  [], [49], [1, 2, 255], [0, 0], [195, 40],
];

const operators = [
  "?", "typeof(?)", "-?", "+?", "NOT ?", "~?", "? + 0", "? - 1", "? * 2", "? / 2", "7 / ?", "7 % ?", "? % 4",
  "? & 3", "? | 8", "? << 2", "? >> 1", "? || ''", "'<' || ? || '>'", "? = 1", "? = '1'", "? == 1.0", "? <> 1",
  "? < 5", "? > '5'", "? <= x'31'", "? IS NULL", "? IS NOT NULL", "? IS 1", "? IS TRUE", "? IS NOT DISTINCT FROM 1",
  "? IN (1, '1', x'31')", "1 IN (?)", "? BETWEEN 1 AND 200", "? LIKE '1%'", "? GLOB '1*'", "'1' LIKE ?",
  "CAST(? AS INTEGER)", "CAST(? AS REAL)", "CAST(? AS TEXT)", "CAST(? AS BLOB)", "CAST(? AS NUMERIC)",
  "CASE ? WHEN 1 THEN 'one' WHEN '1' THEN 'text' WHEN x'31' THEN 'blob' ELSE 'other' END",
  "iif(?, 'yes', 'no')", "coalesce(?, 'x')", "nullif(?, 1)", "ifnull(?, 2)", "hex(?)", "quote(?)", "length(?)", "octet_length(?)",
  "abs(?)", "sign(?)", "round(?)", "round(?, 1)", "ceil(?)", "sqrt(?)", "min(?, 3)", "max(?, 'a')",
  "unicode(?)", "upper(?)", "trim(?)", "substr('abcdef', ?)", "substr(?, 2)", "instr(?, '1')", "replace(?, '1', 'x')",
  "printf('%d', ?)", "printf('%s', ?)", "printf('%.2f', ?)", "printf('%g|%e|%x|%q|%Q', ?1, ?1, ?1, ?1, ?1)",
  "json_array(?)", "json_quote(?)", "json_object('k', ?)", "json_valid(?)", "typeof(json(?))", "datetime(?)", "datetime(?, 'unixepoch')",
  "sum(?)", "count(?)", "avg(?)", "total(?)", "group_concat(?)", "json_group_array(?)",
  "? COLLATE NOCASE = 'TEXT'", "(?, 1) = (1, 1)", "EXISTS (SELECT 1 WHERE ?)", "(SELECT ?)",
];

function parameters() {
  return operators.map((operator) => ({
    name: `SELECT ${operator}`,
    requests: kinds.map((kind) => ({ sql: `SELECT ${operator} AS v`, params: [kind] })),
  }));
}

const columnTypes = [
  "", "INTEGER", "INT", "BIGINT", "TINYINT(1)", "UNSIGNED BIG INT", "TEXT", "VARCHAR(10)", "CHARACTER(20)", "CLOB", "STRING",
  "BLOB", "REAL", "DOUBLE", "FLOAT", "FLOATING POINT", "NUMERIC", "DECIMAL(10,2)", "BOOLEAN", "DATE", "DATETIME", "TIMESTAMP",
  "JSON", "UUID", "ANY", "CHARINT", "BLOBINT", "XYZ",
];

function affinity() {
  const placeholders = kinds.map((_, i) => `(${i + 1}, ?)`).join(", ");
  const stored = columnTypes.map((type) => ({
    name: `stored in a column of type ${type || "(none)"}`,
    requests: [
      { sql: `CREATE TABLE t(id INTEGER PRIMARY KEY, c ${type})` },
      { sql: `INSERT INTO t(id, c) VALUES ${placeholders}`, params: kinds },
      { sql: "SELECT id, c, typeof(c), quote(c) FROM t ORDER BY id" },
      { sql: "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY c, id)" },
      { sql: "SELECT count(DISTINCT c), min(c), max(c) FROM t" },
      ...[1, "1", 1.5, "text", null, [49]].map((kind) => ({
        sql: "SELECT group_concat(id) FROM (SELECT id FROM t WHERE c = ? ORDER BY id)", params: [kind],
      })),
      { sql: "SELECT group_concat(id) FROM (SELECT id FROM t WHERE c > ? ORDER BY id)", params: [0] },
      { sql: "UPDATE t SET c = c || '' WHERE id < 5" },
      { sql: "SELECT id, c, typeof(c) FROM t WHERE id < 5 ORDER BY id" },
    ],
  }));
  const strict = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"].map((type) => ({
    name: `stored in a STRICT column of type ${type}`,
    requests: [
      { sql: `CREATE TABLE t(id INTEGER PRIMARY KEY, c ${type}) STRICT` },
      ...kinds.map((kind) => ({ sql: "INSERT INTO t(c) VALUES (?) RETURNING id, c, typeof(c)", params: [kind] })),
      { sql: "SELECT id, c, typeof(c), quote(c) FROM t ORDER BY id" },
    ],
  }));
  const keys = ["INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY DESC", "INT PRIMARY KEY", "TEXT PRIMARY KEY", "REAL PRIMARY KEY", "BLOB PRIMARY KEY",
    "INTEGER PRIMARY KEY AUTOINCREMENT"].map((key) => ({
    name: `given as ${key}`,
    requests: [
      { sql: `CREATE TABLE t(k ${key}, v)` },
      ...kinds.map((kind, i) => ({ sql: "INSERT OR IGNORE INTO t(k, v) VALUES (?, ?) RETURNING k, typeof(k)", params: [kind, i] })),
      { sql: "SELECT k, typeof(k), v FROM t ORDER BY v" },
    ],
  }));
  return [...stored, ...strict, ...keys];
}

function functionCases() {
  return functions.map((call) => one(call, `SELECT ${call}`));
}

const flags = ["case_sensitive_like", "foreign_keys", "defer_foreign_keys", "ignore_check_constraints", "legacy_alter_table",
  "recursive_triggers", "reverse_unordered_selects"];
const named = ["table_info", "table_xinfo", "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo", "quick_check"];
const otherPragmas = [
  "analysis_limit", "application_id", "auto_vacuum", "automatic_index", "busy_timeout", "cache_size", "cache_spill", "cell_size_check",
  "checkpoint_fullfsync", "collation_list", "compile_options", "count_changes", "data_store_directory", "database_list", "default_cache_size",
  "empty_result_callbacks", "encoding", "freelist_count", "full_column_names", "fullfsync", "function_list", "hard_heap_limit",
  "incremental_vacuum", "integrity_check", "journal_mode", "journal_size_limit", "locking_mode", "max_page_count", "mmap_size",
  "module_list", "page_count", "pragma_list", "query_only", "read_uncommitted", "schema_version", "secure_delete",
  "short_column_names", "shrink_memory", "soft_heap_limit", "stats", "synchronous", "temp_store", "temp_store_directory", "threads",
  "trusted_schema", "user_version", "wal_autocheckpoint", "wal_checkpoint", "writable_schema", "no_such_pragma", "miniflare",
  "parser_trace", "vdbe_debug", "vdbe_listing", "vdbe_trace", "vdbe_addoptrace", "activate_extensions", "key", "rekey",
];

function pragmas() {
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

const resolutions = ["", "OR ABORT", "OR FAIL", "OR IGNORE", "OR REPLACE", "OR ROLLBACK"];
const constraints = [
  { what: "UNIQUE", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (11, 'a'), (12, 'y')", set: "v = 'a'" },
  { what: "two UNIQUE columns", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v, UNIQUE(v, id))", "CREATE UNIQUE INDEX u ON t(v)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (11, 'a'), (12, 'y')", set: "v = 'a'" },
  { what: "INTEGER PRIMARY KEY", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (1, 'z'), (12, 'y')", set: "id = 1" },
  { what: "TEXT PRIMARY KEY", schema: ["CREATE TABLE t(id TEXT PRIMARY KEY, v)", "INSERT INTO t VALUES ('1', 'a'), ('2', 'b')"], rows: "('10', 'x'), ('1', 'z'), ('12', 'y')", set: "id = '1'" },
  { what: "WITHOUT ROWID key", schema: ["CREATE TABLE t(id TEXT PRIMARY KEY, v) WITHOUT ROWID", "INSERT INTO t VALUES ('1', 'a'), ('2', 'b')"], rows: "('10', 'x'), ('1', 'z'), ('12', 'y')", set: "id = '1'" },
  { what: "composite key", schema: ["CREATE TABLE t(id, v, PRIMARY KEY(id, v))", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (1, 'a'), (12, 'y')", set: "id = 1, v = 'a'" },
  { what: "NOT NULL", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v NOT NULL)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (11, NULL), (12, 'y')", set: "v = NULL" },
  { what: "NOT NULL with a default", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v NOT NULL DEFAULT 'd')", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (11, NULL), (12, 'y')", set: "v = NULL" },
  { what: "CHECK", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v CHECK (v <> 'bad'))", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (11, 'bad'), (12, 'y')", set: "v = 'bad'" },
  { what: "named CHECK", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v, CONSTRAINT not_bad CHECK (v <> 'bad'))", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (11, 'bad'), (12, 'y')", set: "v = 'bad'" },
  { what: "FOREIGN KEY", schema: ["CREATE TABLE p(k PRIMARY KEY)", "INSERT INTO p VALUES ('a'), ('b'), ('x'), ('y')", "CREATE TABLE t(id INTEGER PRIMARY KEY, v REFERENCES p)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), (11, 'bad'), (12, 'y')", set: "v = 'bad'" },
  { what: "STRICT type", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v INT) STRICT", "INSERT INTO t VALUES (1, 1), (2, 2)"], rows: "(10, 3), (11, 'bad'), (12, 4)", set: "v = 'bad'" },
  { what: "INTEGER PRIMARY KEY type", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')"], rows: "(10, 'x'), ('bad', 'z'), (12, 'y')", set: "id = 'bad'" },
  { what: "trigger", schema: ["CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')", "CREATE TRIGGER ti BEFORE INSERT ON t WHEN new.v = 'bad' BEGIN SELECT RAISE(ABORT, 'no bad row'); END", "CREATE TRIGGER tu BEFORE UPDATE ON t WHEN new.v = 'bad' BEGIN SELECT RAISE(ABORT, 'no bad row'); END"], rows: "(10, 'x'), (11, 'bad'), (12, 'y')", set: "v = 'bad'" },
];

function conflicts() {
  const cases = [];
  const rows = "SELECT * FROM t ORDER BY rowid";
  for (const { what, schema, rows: values, set } of constraints) {
    const list = what === "WITHOUT ROWID key" ? "SELECT * FROM t ORDER BY id" : rows;
    for (const how of resolutions) {
      const label = `${what}, ${how || "no clause"}`;
      const insert = `INSERT ${how} INTO t VALUES ${values}`.replace("  ", " ");
      const update = `UPDATE ${how} t SET ${set}`.replace("  ", " ");
      cases.push(one(`INSERT: ${label}`, ...schema, insert, list, "SELECT changes(), last_insert_rowid()"));
      cases.push(one(`UPDATE: ${label}`, ...schema, update, list, "SELECT changes(), last_insert_rowid()"));
      cases.push({
        name: `batch: ${label}`,
        requests: [
          ...schema.map((sql) => ({ sql })),
          { batch: [{ sql: "DELETE FROM t WHERE id = 2" }, { sql: insert }, { sql: "DELETE FROM t" }] },
          { sql: list },
        ],
      });
    }
  }
  return cases;
}

const range = (n) => Array.from({ length: n }, (_, i) => i + 1);
const around = (n) => [n - 1, n, n + 1];

function limits() {
  const cases = [];
  const add = (name, requests, expand) => cases.push({ name, ...(expand && { expand: true }), requests });
  for (const n of around(100)) {
    add(`${n} parameters`, [{ sql: `SELECT max(${range(n).map(() => "?").join(",")}) AS m`, params: range(n) }]);
    add(`parameter number ${n}`, [{ sql: `SELECT ?${n}`, params: range(n) }]);
    add(`table of ${n} columns`, [
      { sql: `CREATE TABLE t(${range(n).map((i) => `c${i}`).join(",")})` },
      { sql: "SELECT count(*) FROM pragma_table_info('t')" },
    ]);
    add(`result of ${n} columns`, [{ sql: `SELECT ${range(n).join(",")}` }]);
    add(`${n} columns in GROUP BY`, [{ sql: `SELECT 1 FROM (SELECT 1 AS a) GROUP BY ${range(n).map((i) => `a+${i}`).join(",")}` }]);
    add(`${n} columns in ORDER BY`, [{ sql: `SELECT 1 FROM (SELECT 1 AS a) ORDER BY ${range(n).map((i) => `a+${i}`).join(",")}` }]);
    add(`${n} columns in an index`, [
      { sql: "CREATE TABLE t(a)" },
      { sql: `CREATE INDEX i ON t(${range(n).map((i) => `a+${i}`).join(",")})` },
    ]);
    add(`${n} columns in SET`, [
      { sql: `CREATE TABLE t(${range(Math.min(n, 100)).map((i) => `c${i}`).join(",")})` },
      { sql: `UPDATE t SET ${range(n).map((i) => `c${Math.min(i, 100)}=${i}`).join(",")}` },
    ]);
    add(`${n} columns in a view`, [{ sql: `CREATE VIEW v AS SELECT ${range(n).map((i) => `${i} AS c${i}`).join(",")}` }, { sql: "SELECT c1 FROM v" }]);
    add(`expression of depth ${n}`, [{ sql: `SELECT {{1+*${n - 1}}}1 AS v` }], true);
    add(`${n} nested NOT`, [{ sql: `SELECT {{NOT *${n - 1}}}1 AS v` }], true);
    add(`${n} nested parentheses`, [{ sql: `SELECT {{(*${n}}}1{{)*${n}}} AS v` }], true);
    add(`${n} AND terms`, [{ sql: `SELECT {{1 AND *${n - 1}}}1 AS v` }], true);
    add(`${n} concatenations`, [{ sql: `SELECT {{'a'||*${n - 1}}}'a' AS v` }], true);
    add(`${n} items in IN`, [{ sql: `SELECT 7 IN ({{1,*${n - 1}}}1) AS v` }], true);
    add(`${n} rows of VALUES`, [{ sql: `SELECT count(*) FROM (VALUES {{(1),*${n - 1}}}(2))` }], true);
  }
  add("100 columns added by ALTER, then one more", [
    { sql: `CREATE TABLE t(${range(99).map((i) => `c${i}`).join(",")})` },
    { sql: "ALTER TABLE t ADD COLUMN c100" }, { sql: "ALTER TABLE t ADD COLUMN c101" },
  ]);
  add("join of two tables of 60 columns", [
    { sql: `CREATE TABLE a(${range(60).map((i) => `a${i}`).join(",")})` },
    { sql: `CREATE TABLE b(${range(60).map((i) => `b${i}`).join(",")})` },
    { sql: "SELECT * FROM a, b" }, { sql: "SELECT a.* FROM a, b" },
  ]);
  for (const n of [4, 5, 6, 20]) {
    for (const kind of ["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]) {
      add(`compound of ${n} by ${kind}`, [{ sql: range(n).map((i) => `SELECT ${i}`).join(` ${kind} `) }]);
    }
  }
  for (const n of around(50)) {
    for (const operator of ["LIKE", "GLOB"]) {
      add(`${operator} pattern of ${n} bytes`, [
        { sql: `SELECT 'x' ${operator} '{{a*${n}}}' AS v` },
        { sql: `SELECT 'x' ${operator} ? AS v`, params: [`{{a*${n}}}`] },
        { sql: `SELECT 'x' ${operator} ? AS v`, params: [`{{é*24}}{{a*${n - 48}}}`] },
      ], true);
    }
  }
  for (const n of around(100000)) {
    add(`statement of ${n} bytes`, [{ sql: `SELECT 1{{ *${n - 8}}}` }], true);
    add(`statement of ${n} bytes in a literal`, [{ sql: `SELECT length('{{a*${n - 22}}}') AS v` }], true);
    add(`statement of ${n} bytes in a batch`, [{ batch: [{ sql: "SELECT 1" }, { sql: `SELECT 2{{ *${n - 8}}}` }] }], true);
    add(`statement of ${n} bytes after a CREATE`, [
      { batch: [{ sql: "CREATE TABLE t(a)" }, { sql: `INSERT INTO t VALUES('{{a*${n - 24}}}')` }] },
      { sql: "SELECT count(*), max(length(a)) FROM t" },
    ], true);
  }
  add("two statements of 60000 bytes each", [{ sql: "SELECT 1{{ *60000}};SELECT 2{{ *60000}}", statements: ["SELECT 1{{ *60000}}", "SELECT 2{{ *60000}}"] }], true);
  for (const n of [32, 33, 100, 127, 128]) {
    add(`function of ${n} arguments`, [
      { sql: `SELECT coalesce({{NULL,*${n - 1}}}1) AS v` },
      { sql: `SELECT max({{1,*${n - 1}}}2) AS v` },
      { sql: `SELECT char({{65,*${n - 1}}}66) AS v` },
    ], true);
  }
  for (const n of [1000000, 2000000, 2000001, 4194304, 4194305, 8388608, 8388641, 8388642, 8388643]) {
    add(`text of ${n} bytes`, [
      { sql: "CREATE TABLE t(a)" },
      { sql: "SELECT length(?)", params: [`{{x*${n}}}`] },
      { sql: "INSERT INTO t VALUES (?)", params: [`{{x*${n}}}`] },
      { sql: "SELECT count(*), max(length(a)) FROM t" },
    ], true);
    add(`zeroblob of ${n} bytes`, [
      { sql: "CREATE TABLE t(a)" }, { sql: `SELECT length(zeroblob(${n}))` },
      { sql: `INSERT INTO t VALUES (zeroblob(${n}))` }, { sql: "SELECT count(*), max(length(a)) FROM t" },
    ]);
  }
  add("a row of three values of 2000000 bytes", [
    { sql: "CREATE TABLE t(a, b, c)" }, { sql: "INSERT INTO t VALUES (zeroblob(1000000), zeroblob(1000000), zeroblob(1000000))" },
    { sql: "INSERT INTO t VALUES (zeroblob(2000000), zeroblob(2000000), zeroblob(2000000))" }, { sql: "SELECT count(*) FROM t" },
  ]);
  for (const n of [99999, 100000, 100001]) {
    add(`printf precision ${n}`, [{ sql: `SELECT length(printf('%.*c', ${n}, 'x')), length(printf('%${n}d', 1)), length(printf('%.${n}f', 1.5))` }]);
  }
  for (const n of [9, 10, 11, 12]) {
    add(`triggers ${n} deep`, [
      { batch: [
        ...range(n + 1).map((i) => ({ sql: `CREATE TABLE t${i}(a)` })),
        ...range(n).map((i) => ({ sql: `CREATE TRIGGER r${i} AFTER INSERT ON t${i} BEGIN INSERT INTO t${i + 1} VALUES (new.a); END` })),
      ] },
      { sql: "INSERT INTO t1 VALUES (1)" }, { sql: `SELECT count(*) FROM t${n + 1}` },
    ]);
  }
  for (const n of [63, 64, 65]) {
    add(`join of ${n} tables`, [{ sql: "CREATE TABLE t(a)" }, { sql: `SELECT 1 FROM ${range(n).map((i) => `t AS t${i}`).join(",")}` }]);
  }
  for (const n of [20, 50, 100]) {
    add(`${n} nested subqueries`, [{ sql: `SELECT {{(SELECT *${n}}}1{{)*${n}}} AS v` }], true);
    add(`${n} nested views`, [{ batch: [{ sql: "CREATE VIEW v0 AS SELECT 1 AS a" }, ...range(n).map((i) => ({ sql: `CREATE VIEW v${i} AS SELECT a FROM v${i - 1}` }))] }, { sql: `SELECT a FROM v${n}` }]);
    add(`JSON ${n * 10} deep`, [{ sql: `SELECT json_valid('{{[*${n * 10}}}{{]*${n * 10}}}') AS v` }], true);
  }
  return cases;
}

const files = {
  "generated-affinity.json": affinity(),
  "generated-conflicts.json": conflicts(),
  "generated-functions.json": functionCases(),
  "generated-limits.json": limits(),
  "generated-parameters.json": parameters(),
  "generated-pragmas.json": pragmas(),
};
for (const [name, cases] of Object.entries(files)) {
  await writeFile(new URL(name, import.meta.url), formatCases(cases));
}
