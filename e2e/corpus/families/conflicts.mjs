// Every constraint under every way to resolve a conflict.
import { one } from "./shared.mjs";

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

export function conflicts() {
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
