// Every kind of parameter in a column of every type.
import { kinds } from "./shared.mjs";

const columnTypes = [
  "", "INTEGER", "INT", "BIGINT", "TINYINT(1)", "UNSIGNED BIG INT", "TEXT", "VARCHAR(10)", "CHARACTER(20)", "CLOB", "STRING",
  "BLOB", "REAL", "DOUBLE", "FLOAT", "FLOATING POINT", "NUMERIC", "DECIMAL(10,2)", "BOOLEAN", "DATE", "DATETIME", "TIMESTAMP",
  "JSON", "UUID", "ANY", "CHARINT", "BLOBINT", "XYZ",
];

export function affinity() {
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
