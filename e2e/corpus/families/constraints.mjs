// Constraints: foreign keys with every action, conflict clauses in the schema,
// upserts, RAISE, STRICT tables, and the texts of CHECK.
import { one, pairs } from "./shared.mjs";

const actions = ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"];
const timing = ["", "DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE INITIALLY IMMEDIATE", "NOT DEFERRABLE"];

function foreignKeys() {
  const changes = ["DELETE FROM p WHERE k = 1", "UPDATE p SET k = 9 WHERE k = 2", "UPDATE p SET v = 'same' WHERE k = 3", "UPDATE p SET k = k", "INSERT INTO c(r) VALUES (77)", "UPDATE c SET r = 77 WHERE id = 3", "UPDATE c SET r = NULL WHERE id = 3", "INSERT OR REPLACE INTO p VALUES (3, 'new')", "DROP TABLE p"];
  const acted = pairs(actions, timing).map(([action, when]) => ({
    name: `ON DELETE and ON UPDATE ${action} ${when}`.trim(),
    requests: [
      ...["CREATE TABLE p(k INTEGER PRIMARY KEY, v)", "INSERT INTO p VALUES (0, 'zero'), (1, 'one'), (2, 'two'), (3, 'three')",
        `CREATE TABLE c(id INTEGER PRIMARY KEY, r DEFAULT 0 REFERENCES p(k) ON DELETE ${action} ON UPDATE ${action} ${when})`, "CREATE TABLE g(id INTEGER PRIMARY KEY, r REFERENCES c(id) ON DELETE CASCADE)", "INSERT INTO c VALUES (1, 1), (2, 2), (3, 3), (4, 1)", "INSERT INTO g VALUES (1, 1), (2, 4)"].map((sql) => ({ sql })),
      ...changes.flatMap((sql) => [{ sql }, { sql: "SELECT (SELECT group_concat(k) FROM p), (SELECT group_concat(r) FROM c), (SELECT count(*) FROM g)" }]),
      { batch: [{ sql: "INSERT INTO c VALUES (50, 500)" }, { sql: "INSERT INTO p VALUES (500, 'later')" }] },
      { batch: [{ sql: "PRAGMA defer_foreign_keys = ON" }, { sql: "INSERT INTO c VALUES (51, 501)" }, { sql: "INSERT INTO p VALUES (501, 'later')" }] },
      { sql: "SELECT count(*) FROM c" }, { sql: "PRAGMA foreign_key_check" },
    ],
  }));
  const schemas = [
    ["no such parent", "CREATE TABLE c(r REFERENCES nope(k))", "INSERT INTO c VALUES (1)", "INSERT INTO c VALUES (NULL)", "DELETE FROM c", "DROP TABLE c"],
    ["parent column missing", "CREATE TABLE p(k PRIMARY KEY)", "CREATE TABLE c(r REFERENCES p(nope))", "INSERT INTO c VALUES (1)", "DELETE FROM p", "UPDATE p SET k = 1"],
    ["parent column not unique", "CREATE TABLE p(k, v)", "CREATE TABLE c(r REFERENCES p(k))", "INSERT INTO p VALUES (1, 1)", "INSERT INTO c VALUES (1)", "CREATE UNIQUE INDEX u ON p(k)", "INSERT INTO c VALUES (1)", "INSERT INTO c VALUES (2)", "DELETE FROM p", "DROP INDEX u"],
    ["unique with another collation", "CREATE TABLE p(k TEXT COLLATE NOCASE UNIQUE)", "CREATE TABLE c(r TEXT REFERENCES p(k))", "INSERT INTO p VALUES ('abc')", "INSERT INTO c VALUES ('ABC')", "UPDATE p SET k = 'ABC'", "UPDATE p SET k = 'x'"],
    ["partial unique index", "CREATE TABLE p(k)", "CREATE UNIQUE INDEX u ON p(k) WHERE k > 0", "CREATE TABLE c(r REFERENCES p(k))", "INSERT INTO c VALUES (1)"],
    ["composite", "CREATE TABLE p(a, b, PRIMARY KEY(a, b))", "CREATE TABLE c(x, y, FOREIGN KEY(x, y) REFERENCES p)", "INSERT INTO p VALUES (1, 2)", "INSERT INTO c VALUES (1, 2), (1, NULL), (NULL, NULL)", "INSERT INTO c VALUES (1, 3)", "UPDATE p SET b = 3"],
    ["composite of another width", "CREATE TABLE p(a, b, PRIMARY KEY(a, b))", "CREATE TABLE c(x REFERENCES p)", "INSERT INTO c VALUES (1)", "CREATE TABLE d(x, y, FOREIGN KEY(x, y) REFERENCES p(a))"],
    ["column unknown", "CREATE TABLE c(x, FOREIGN KEY(nope) REFERENCES p(a))"],
    ["itself", "CREATE TABLE t(id INTEGER PRIMARY KEY, up REFERENCES t(id) ON DELETE CASCADE)", "INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (2, 3)", "INSERT INTO t VALUES (2, 1), (3, 2), (4, 3)", "UPDATE t SET id = 10 WHERE id = 1", "DELETE FROM t WHERE id = 1", "SELECT count(*) FROM t"],
    ["match and other words", "CREATE TABLE p(k PRIMARY KEY)", "CREATE TABLE c(r REFERENCES p(k) MATCH FULL ON DELETE CASCADE MATCH SIMPLE)", "INSERT INTO c VALUES (5)", "PRAGMA foreign_key_list(c)"],
    ["text and integer keys", "CREATE TABLE p(k INTEGER PRIMARY KEY)", "INSERT INTO p VALUES (1)", "CREATE TABLE c(r TEXT REFERENCES p(k))", "INSERT INTO c VALUES ('1')", "INSERT INTO c VALUES (1.0)", "INSERT INTO c VALUES ('1.0')", "INSERT INTO c VALUES ('x')", "INSERT INTO c VALUES (x'31')"],
    ["view as a parent", "CREATE VIEW p AS SELECT 1 AS k", "CREATE TABLE c(r REFERENCES p(k))", "INSERT INTO c VALUES (1)"],
    ["rename of a parent", "CREATE TABLE p(k PRIMARY KEY)", "CREATE TABLE c(r REFERENCES p(k))", "ALTER TABLE p RENAME TO q", "SELECT sql FROM sqlite_schema WHERE name = 'c'", "ALTER TABLE q RENAME COLUMN k TO kk", "SELECT sql FROM sqlite_schema WHERE name = 'c'", "ALTER TABLE q DROP COLUMN kk", "ALTER TABLE c DROP COLUMN r"],
    ["without rowid", "CREATE TABLE p(k TEXT PRIMARY KEY) WITHOUT ROWID", "CREATE TABLE c(r REFERENCES p ON UPDATE CASCADE) ", "INSERT INTO p VALUES ('a')", "INSERT INTO c VALUES ('a')", "UPDATE p SET k = 'b'", "SELECT r FROM c", "INSERT INTO c VALUES ('z')"],
    ["cascade as deep as triggers", "CREATE TABLE t(id INTEGER PRIMARY KEY, up REFERENCES t(id) ON DELETE CASCADE)", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 15) INSERT INTO t SELECT i, nullif(i - 1, 0) FROM n", "DELETE FROM t WHERE id = 8", "SELECT count(*) FROM t", "DELETE FROM t WHERE id = 1", "SELECT count(*) FROM t"],
    ["dropped with children", "CREATE TABLE p(k PRIMARY KEY)", "CREATE TABLE c(r REFERENCES p(k))", "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (1)", "DROP TABLE p", "DROP TABLE c", "DROP TABLE p"],
  ];
  return [...acted, ...schemas.map(([name, ...sqls]) => one(`foreign key: ${name}`, sqls))];
}

const clauses = ["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"];
const inSchema = {
  "PRIMARY KEY": (c) => `CREATE TABLE t(id INTEGER PRIMARY KEY ON CONFLICT ${c}, v)`,
  "a text key": (c) => `CREATE TABLE t(id TEXT PRIMARY KEY ON CONFLICT ${c}, v)`,
  "UNIQUE": (c) => `CREATE TABLE t(id UNIQUE ON CONFLICT ${c}, v)`,
  "a table's UNIQUE": (c) => `CREATE TABLE t(id, v, UNIQUE(id) ON CONFLICT ${c})`,
  "NOT NULL": (c) => `CREATE TABLE t(id, v NOT NULL ON CONFLICT ${c} DEFAULT 'd')`,
  "CHECK": (c) => `CREATE TABLE t(id, v, CHECK (v <> 'bad') ON CONFLICT ${c})`,
  "WITHOUT ROWID": (c) => `CREATE TABLE t(id PRIMARY KEY ON CONFLICT ${c}, v) WITHOUT ROWID`,
};

function schemaConflicts() {
  return pairs(Object.keys(inSchema), clauses.filter((c) => c !== "ROLLBACK")).map(([what, clause]) => one(`${what} ON CONFLICT ${clause}`, inSchema[what](clause),
    "INSERT INTO t VALUES ('1', 'a'), ('2', 'b')", "INSERT INTO t VALUES ('3', 'c'), ('1', 'bad'), ('4', NULL)", "SELECT * FROM t", "INSERT OR ABORT INTO t VALUES ('5', 'c'), ('1', 'bad'), ('6', NULL)", "INSERT OR REPLACE INTO t VALUES ('1', NULL) RETURNING *",
    "UPDATE t SET id = '1'", "UPDATE OR REPLACE t SET id = '1', v = NULL WHERE id = '2'", "SELECT *, changes(), last_insert_rowid() FROM t"));
}

function upserts() {
  const tables = { "an integer key": "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v)", "a text key": "CREATE TABLE t(id TEXT PRIMARY KEY, u UNIQUE, v)", "no rowid": "CREATE TABLE t(id TEXT PRIMARY KEY, u UNIQUE, v) WITHOUT ROWID", "a partial index": "CREATE TABLE t(id, u, v); CREATE UNIQUE INDEX i ON t(id) WHERE v > 0; CREATE UNIQUE INDEX j ON t(lower(u))" };
  const tails = ["DO NOTHING", "DO UPDATE SET v = v + 1", "(id) DO NOTHING", "(id) DO UPDATE SET v = excluded.v", "(id) DO UPDATE SET v = t.v + excluded.v WHERE excluded.v > t.v", "(u) DO UPDATE SET v = 99", "(id) DO UPDATE SET id = 2", "(id) DO UPDATE SET u = 'b'", "(id) DO NOTHING ON CONFLICT (u) DO UPDATE SET v = -1", "(u) DO NOTHING ON CONFLICT DO UPDATE SET v = -2",
    "(v) DO NOTHING", "(nope) DO NOTHING", "(id) WHERE v > 0 DO UPDATE SET v = 7", "(lower(u)) DO UPDATE SET v = 8", "(id, u) DO NOTHING", "(id) DO UPDATE SET (u, v) = ('z', 10)", "(id) DO UPDATE SET v = (SELECT max(v) FROM t) + 1", "DO NOTHING ON CONFLICT (id) DO NOTHING", "(id) DO UPDATE SET nope = 1", "(id COLLATE NOCASE) DO NOTHING", "(id) DO UPDATE SET v = excluded.nope", "(id) DO", "(id DESC) DO NOTHING"];
  return Object.entries(tables).map(([what, ddl]) => one(`upsert with ${what}`, ...ddl.split("; "), "INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20)",
    ...tails.flatMap((tail) => [`INSERT INTO t VALUES (1, 'c', 30) ON CONFLICT ${tail}`, `INSERT INTO t VALUES (5, 'a', 5), (6, 'f', 6) ON CONFLICT ${tail} RETURNING id, u, v`, "SELECT *, changes() FROM t ORDER BY id", "DELETE FROM t WHERE id NOT IN (1, 2)"]),
    "INSERT INTO t SELECT 1, 'q', 1 WHERE 1 ON CONFLICT DO NOTHING", "INSERT INTO t SELECT 1, 'q', 1 ON CONFLICT DO NOTHING", "INSERT INTO t DEFAULT VALUES ON CONFLICT DO NOTHING", "REPLACE INTO t VALUES (1, 'r', 1) ON CONFLICT (id) DO UPDATE SET v = 0"));
}

function raises() {
  const made = pairs(["ABORT", "FAIL", "IGNORE", "ROLLBACK"], ["BEFORE", "AFTER"]).filter(([how]) => how !== "ROLLBACK").map(([how, when]) => ({
    name: `RAISE(${how}) ${when}`,
    requests: [
      ...["CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "CREATE TABLE log(what)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        ...["INSERT", "UPDATE", "DELETE"].map((event) => `CREATE TRIGGER r${event} ${when} ${event} ON t WHEN ${event === "DELETE" ? "old" : "new"}.v = 'bad' BEGIN INSERT INTO log VALUES ('${event}'); SELECT RAISE(${how}${how === "IGNORE" ? "" : `, 'no ${event} é''s'`}); END`),
        ...["", "OR IGNORE ", "OR REPLACE ", "OR FAIL "].map((or) => `INSERT ${or}INTO t VALUES (NULL, 'x'), (NULL, 'bad'), (NULL, 'y')`), "SELECT group_concat(v), (SELECT count(*) FROM log) FROM t",
        "UPDATE t SET v = 'bad' WHERE id >= 2", "UPDATE OR FAIL t SET v = CASE id WHEN 2 THEN 'bad' ELSE 'z' END", "SELECT group_concat(v), (SELECT count(*) FROM log) FROM t", "PRAGMA ignore_check_constraints = ON", "DELETE FROM t WHERE v = 'bad'", "DELETE FROM t", "SELECT count(*), (SELECT count(*) FROM log) FROM t", "INSERT INTO t VALUES (100, 'bad') RETURNING id"].map((sql) => ({ sql })),
      { batch: [{ sql: "DELETE FROM log" }, { sql: "INSERT INTO t VALUES (200, 'ok')" }, { sql: "INSERT INTO t VALUES (201, 'bad')" }, { sql: "INSERT INTO t VALUES (202, 'ok')" }] },
      { sql: "SELECT count(*), max(id), (SELECT count(*) FROM log) FROM t" },
    ],
  }));
  const texts = ["'plain'", "'with ''quotes'' and \"names\"'", "''", "NULL", "123", "x'6869'", "'v is ' || new.v", "printf('%d!', new.v)", "'a' || char(0) || 'b'", "'line' || char(10) || 'break'", "'{\"json\":1}'", "new.v", "(SELECT 'sub')", "upper('loud')", "plain", "'constraint failed: of mine'"];
  return [...made, ...texts.map((text) => one(`RAISE with the text ${text}`, "CREATE TABLE t(v)", `CREATE TRIGGER r BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, ${text}); END`, "INSERT INTO t VALUES (5)", "INSERT OR FAIL INTO t VALUES ('six')", "SELECT count(*) FROM t")),
    one("RAISE out of place", "SELECT RAISE(ABORT, 'x')", "CREATE TABLE t(v CHECK (RAISE(ABORT, 'x')))", "SELECT RAISE(IGNORE)", "SELECT RAISE(NOPE, 'x')", "SELECT RAISE(ABORT)", "CREATE VIEW v AS SELECT RAISE(ABORT, 'x')", "SELECT * FROM v"),
  ];
}

function strict() {
  const types = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"];
  const values = ["1", "1.0", "1.5", "'1'", "'1.0'", "'1.5'", "'abc'", "''", "x'31'", "x''", "NULL", "TRUE", "9223372036854775808", "1e999", "9e18", "' 5 '", "'5x'", "-0.0"];
  return [...types.map((type) => one(`STRICT column ${type}`, `CREATE TABLE t(v ${type}) STRICT`, ...values.map((v) => `INSERT INTO t VALUES (${v}) RETURNING v, typeof(v)`), ...values.map((v) => `UPDATE t SET v = ${v}`), "SELECT count(*), min(v), max(v) FROM t")),
    one("STRICT declarations", ...["v", "v VARCHAR", "v TEXT(5)", "v INT UNSIGNED", "v \"TEXT\"", "v text", "v NUMERIC", "v DATETIME", "v BOOLEAN", "v INT AS (1)", "id INTEGER PRIMARY KEY, v ANY NOT NULL", "id INT PRIMARY KEY", "id PRIMARY KEY"].map((column, i) => `CREATE TABLE t${i}(${column}) STRICT`), "CREATE TABLE u(a INT) STRICT, WITHOUT ROWID", "CREATE TABLE w(a INT PRIMARY KEY) STRICT, WITHOUT ROWID", "CREATE TABLE x(a INT) NOPE", "CREATE TABLE y(a INT) STRICT, STRICT", "CREATE TABLE z(a INT) WITHOUT NOPE", "ALTER TABLE t5 ADD COLUMN w VARCHAR", "ALTER TABLE t5 ADD COLUMN w", "ALTER TABLE t5 ADD COLUMN w INT DEFAULT 'x'", "INSERT INTO t5(v) VALUES ('a')")];
}

function checks() {
  const expressions = ["v > 0", "(v>0)", "v>0 AND v<10", "v IN (1,2,3)", "length(v) <= 3", "typeof(v) = 'integer'", "v LIKE 'a%'", "v IS NOT NULL", "json_valid(v)", "v > 0 OR v = 'x' -- why", "v /* c */ > 0", "\"v\" > 0", "v GLOB '[a-z]*'", "CASE WHEN v THEN 1 ELSE 0 END", "NULL", "0", "1", "v <> w", "'é' <> v", "v BETWEEN\n1 AND 2"];
  return expressions.flatMap((e) => ["", "CONSTRAINT named ", "CONSTRAINT \"odd name\" "].map((named) => one(`CHECK ${named}(${e})`, `CREATE TABLE t(v ${named}CHECK (${e}), w)`,
    ...["(5, 5)", "(-1, 'x')", "('abcdef', 1)", "(NULL, NULL)", "('[1]', 0)"].map((row) => `INSERT INTO t VALUES ${row}`), "UPDATE t SET v = w", "INSERT OR IGNORE INTO t VALUES (-9, -9)", "SELECT count(*) FROM t", `CREATE TABLE u(v, w, ${named}CHECK (${e}), CHECK (w > 0))`, "INSERT INTO u VALUES (-1, -1)", "INSERT INTO u VALUES (1, -1)")));
}

const uniques = [
  ["expression index", "CREATE TABLE t(a, b)", "CREATE UNIQUE INDEX i ON t(lower(a))", "INSERT INTO t VALUES ('X', 1)", "INSERT INTO t VALUES ('x', 2)", "UPDATE t SET a = 'y'", "INSERT OR REPLACE INTO t VALUES ('Y', 3)", "SELECT * FROM t"],
  ["two columns and an expression", "CREATE TABLE t(a, b)", "CREATE UNIQUE INDEX \"odd i\" ON t(a, b + 1)", "INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (1, 1)"],
  ["odd names", "CREATE TABLE \"odd t\"(\"odd c\" UNIQUE, [d e] UNIQUE, \"a.b\" PRIMARY KEY)", "INSERT INTO \"odd t\" VALUES (1, 1, 1)", "INSERT INTO \"odd t\" VALUES (1, 2, 2)", "INSERT INTO \"odd t\" VALUES (2, 1, 2)", "INSERT INTO \"odd t\" VALUES (2, 2, 1)", "INSERT INTO \"odd t\" VALUES (1, 1, 1)"],
  ["several at once", "CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE, b UNIQUE NOT NULL, c CHECK (c > 0))", "INSERT INTO t VALUES (1, 1, 1, 1)", "INSERT INTO t VALUES (1, 1, 1, 1)", "INSERT INTO t VALUES (2, 1, 1, 1)", "INSERT INTO t VALUES (2, 1, NULL, -1)", "INSERT INTO t VALUES (2, 1, 2, -1)", "INSERT INTO t VALUES (1, 2, 2, -1)", "REPLACE INTO t VALUES (2, 1, 1, 2)", "SELECT * FROM t"],
  ["NULL is no duplicate", "CREATE TABLE t(a UNIQUE, b, UNIQUE(a, b))", "INSERT INTO t VALUES (NULL, 1), (NULL, 1), (NULL, NULL)", "SELECT count(*) FROM t", "INSERT INTO t VALUES (1, NULL), (1, NULL)"],
  ["collation", "CREATE TABLE t(a TEXT COLLATE NOCASE UNIQUE, b TEXT COLLATE RTRIM UNIQUE)", "INSERT INTO t VALUES ('a', 'b')", "INSERT INTO t VALUES ('A', 'c')", "INSERT INTO t VALUES ('c', 'b  ')"],
  ["numbers of two types", "CREATE TABLE t(a UNIQUE)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1.0)", "INSERT INTO t VALUES ('1')", "INSERT INTO t VALUES (x'31')"],
  ["CREATE UNIQUE INDEX over duplicates", "CREATE TABLE t(a, b)", "INSERT INTO t VALUES (1, 1), (1, 2)", "CREATE UNIQUE INDEX i ON t(a)", "CREATE UNIQUE INDEX j ON t(a + 0)", "CREATE UNIQUE INDEX k ON t(a) WHERE b = 1", "CREATE UNIQUE INDEX IF NOT EXISTS k ON t(b)", "SELECT name FROM sqlite_schema"],
  ["rowid given", "CREATE TABLE t(a)", "INSERT INTO t(rowid, a) VALUES (5, 'x')", "INSERT INTO t(rowid, a) VALUES (5, 'y')", "INSERT INTO t(_rowid_, a) VALUES ('z', 1)", "UPDATE t SET rowid = 5, oid = 6", "INSERT INTO t(rowid) VALUES (9223372036854775807)", "CREATE TABLE s(id INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO s VALUES (9223372036854775807)", "INSERT INTO s DEFAULT VALUES", "SELECT * FROM sqlite_sequence"],
  ["DESC key", "CREATE TABLE t(id INTEGER PRIMARY KEY DESC, v)", "INSERT INTO t VALUES (1, 1), ('x', 2), (NULL, 3)", "INSERT INTO t VALUES (1, 1)", "SELECT rowid, id FROM t"],
  ["NOT NULL of every kind", "CREATE TABLE t(a NOT NULL, b TEXT NOT NULL DEFAULT NULL, c INTEGER NOT NULL PRIMARY KEY, d AS (a) NOT NULL)", "INSERT INTO t(a, b) VALUES (NULL, 1)", "INSERT INTO t(a) VALUES (1)", "INSERT INTO t(a, b, c) VALUES (1, 1, NULL)", "INSERT OR REPLACE INTO t(a) VALUES (1)", "UPDATE t SET c = NULL", "UPDATE t SET a = NULL"],
  ["keys without a rowid", "CREATE TABLE t(a, b, PRIMARY KEY(a, b)) WITHOUT ROWID", "INSERT INTO t VALUES (1, NULL)", "INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (1, 1)", "SELECT rowid FROM t", "UPDATE t SET a = NULL", "CREATE TABLE u(a) WITHOUT ROWID", "CREATE TABLE w(a INTEGER PRIMARY KEY AUTOINCREMENT) WITHOUT ROWID"],
];

export function constraintCases() {
  return [...foreignKeys(), ...schemaConflicts(), ...upserts(), ...raises(), ...strict(), ...checks(), ...uniques.map(([name, ...sqls]) => one(`unique: ${name}`, sqls))];
}
