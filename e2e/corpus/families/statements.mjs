// Statements written by hand: writes with ORDER BY and LIMIT, batches that fail in the
// middle, views, common table expressions, ALTER TABLE, upserts and RETURNING.
import { numbered, one } from "./shared.mjs";

// onto makes a case of each statement on a schema, read by the last statements.
const onto = (name, schema, read, statements) =>
  statements.map((sql) => one(`${name}: ${[sql].flat().join("; ")}`, schema, sql, read));

const table = [
  "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)",
  "INSERT INTO t VALUES (1, 30, 'x'), (2, 10, 'y'), (3, 20, NULL), (4, 10, 'x'), (5, NULL, 'z')",
];
const rows = "SELECT * FROM t ORDER BY id";

const limited = () => onto("limit", table, [rows], [
  "DELETE FROM t ORDER BY a LIMIT 2",
  "DELETE FROM t ORDER BY a DESC, id DESC LIMIT 2 OFFSET 1",
  "DELETE FROM t ORDER BY a NULLS LAST, id LIMIT 1, 2",
  "DELETE FROM t WHERE a = 10 ORDER BY b DESC LIMIT 1",
  "DELETE FROM t ORDER BY id LIMIT 0",
  "DELETE FROM t ORDER BY id LIMIT -1 OFFSET 4",
  "DELETE FROM t LIMIT 1 OFFSET 100",
  "DELETE FROM t ORDER BY id LIMIT '2'",
  "DELETE FROM t ORDER BY id LIMIT 1.0",
  "DELETE FROM t ORDER BY id LIMIT 1.5",
  "DELETE FROM t ORDER BY id LIMIT 'x'",
  "DELETE FROM t ORDER BY id LIMIT NULL",
  "DELETE FROM t ORDER BY id LIMIT (SELECT count(*) - 3 FROM t)",
  "DELETE FROM t ORDER BY id LIMIT a",
  "DELETE FROM t ORDER BY id",
  "DELETE FROM t ORDER BY nope LIMIT 1",
  "DELETE FROM t ORDER BY id LIMIT 2 RETURNING id",
  "DELETE FROM t RETURNING id, a ORDER BY a DESC LIMIT 2",
  "DELETE FROM t AS x WHERE x.a > 1 ORDER BY x.id DESC LIMIT 1",
  "DELETE FROM t NOT INDEXED WHERE a = 10 ORDER BY id DESC LIMIT 1",
  "DELETE FROM t ORDER BY CASE b WHEN 'x' THEN 0 ELSE 1 END, id LIMIT 3",
  "DELETE FROM t ORDER BY b COLLATE NOCASE DESC, id LIMIT 1",
  "UPDATE t SET a = a + 1 ORDER BY id DESC LIMIT 2",
  "UPDATE t SET a = 0, b = a ORDER BY a DESC LIMIT 1 OFFSET 1",
  "UPDATE t SET (a, b) = (b, a) WHERE id > 1 ORDER BY id LIMIT 2",
  "UPDATE t SET id = id + 10 ORDER BY id LIMIT 2 OFFSET 3",
  "UPDATE t SET id = id + 1 ORDER BY id DESC LIMIT 1",
  "UPDATE OR IGNORE t SET id = id + 1 ORDER BY id DESC LIMIT 2",
  "UPDATE OR REPLACE t SET id = 5 ORDER BY id LIMIT 1",
  "UPDATE t SET a = 1 WHERE b IS NOT DISTINCT FROM 'x' ORDER BY id DESC LIMIT 1",
  "UPDATE t SET a = (SELECT max(a) FROM t) RETURNING id, a ORDER BY id DESC LIMIT 2",
  "UPDATE t SET a = 1 ORDER BY id",
  "UPDATE t SET a = 1 LIMIT 1 ORDER BY id",
  "UPDATE t SET a = 1 LIMIT 1 OFFSET",
  "WITH k(n) AS (VALUES (2), (4)) DELETE FROM t WHERE id IN k ORDER BY id DESC LIMIT 1",
  "WITH k(n) AS (VALUES (2), (4)) UPDATE t SET a = 99 WHERE id IN k ORDER BY id LIMIT 1",
]);

const joined = [...table, "CREATE TABLE s(id, v)", "INSERT INTO s VALUES (1, 'p'), (1, 'q'), (2, 'r'), (4, 'm'), (4, 'n')"];
const limitedFrom = () => onto("UPDATE FROM", joined, [rows], [
  "UPDATE t SET b = v FROM s WHERE s.id = t.id LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id LIMIT 2",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY t.id DESC LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY v LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY v DESC LIMIT 2",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 2 OFFSET 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 1, 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 0",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY t.id LIMIT -1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY 1 DESC LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY 2 LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY 4 LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY v",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY id LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY nope LIMIT 1",
  "UPDATE t SET b = nope FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 1",
  "UPDATE t SET nope = v FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 1",
  "UPDATE t SET b = v FROM nope WHERE nope.id = t.id LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE id = 1 LIMIT 1",
  "UPDATE t SET b = t.a FROM t LIMIT 1",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id LIMIT 'x'",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id LIMIT t.id",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id LIMIT 2 RETURNING b",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id RETURNING t.id, b ORDER BY v LIMIT 2",
  "UPDATE t SET b = v FROM s WHERE s.id = t.id RETURNING id AS i, v LIMIT 2",
  "UPDATE t SET b = v FROM s LIMIT 2",
  "UPDATE t SET b = s.a FROM t AS s WHERE s.id = t.id + 1 ORDER BY t.id LIMIT 1",
  "UPDATE t AS x SET b = v FROM s AS y WHERE y.id = x.id ORDER BY x.id DESC LIMIT 1",
  "UPDATE main.t SET b = v FROM s WHERE s.id = t.id ORDER BY t.id DESC LIMIT 1",
  "UPDATE t SET (a, b) = (v, s.id) FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 2",
  "UPDATE t SET a = t.a * 2, b = v || ',' || coalesce(t.b, '-') FROM s WHERE s.id = t.id ORDER BY v LIMIT 2",
  "UPDATE t SET id = t.id + 10 FROM s WHERE s.id = t.id ORDER BY t.id DESC LIMIT 2",
  "UPDATE t SET id = t.id + 1 FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 1",
  "UPDATE OR IGNORE t SET id = t.id + 1 FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 1",
  "UPDATE OR REPLACE t SET id = 5 FROM s WHERE s.id = t.id ORDER BY t.id LIMIT 1",
  "UPDATE t SET b = k.v FROM (SELECT 1 AS id, 'k' AS v UNION ALL SELECT 3, 'm') AS k WHERE k.id = t.id ORDER BY t.id DESC LIMIT 1",
  "UPDATE t SET b = v FROM s JOIN (SELECT 1 AS one) ON one = 1 WHERE s.id = t.id ORDER BY v LIMIT 2",
  "UPDATE t SET b = v FROM s LEFT JOIN (SELECT 4 AS k) ON k = s.id WHERE s.id = t.id AND k IS NULL ORDER BY v DESC LIMIT 1",
  "UPDATE t SET b = v || one FROM s, (SELECT 1 AS one) WHERE s.id = t.id ORDER BY v LIMIT 1",
  "UPDATE t SET b = value FROM json_each('[7,8,9]') WHERE key = t.id ORDER BY value DESC LIMIT 1",
  "WITH k(id, v) AS (VALUES (1, 'p'), (2, 'o')) UPDATE t SET b = v FROM k WHERE k.id = t.id ORDER BY v LIMIT 1",
  "UPDATE t NOT INDEXED SET b = v FROM s WHERE s.id = t.id ORDER BY v LIMIT 1",
  "UPDATE t SET b = CASE WHEN v = 'm' THEN max(1, 2) ELSE (SELECT min(a) FROM t) END FROM s WHERE s.id = t.id ORDER BY v LIMIT 1",
]).concat([
  one("UPDATE FROM with LIMIT on a table WITHOUT ROWID",
    "CREATE TABLE w(a, b TEXT, c, PRIMARY KEY (b, a)) WITHOUT ROWID", "INSERT INTO w VALUES (1, 'x', 0), (2, 'x', 0), (1, 'y', 0)",
    "UPDATE w SET c = k.v FROM (SELECT 1 AS a, 'one' AS v UNION ALL SELECT 2, 'two') AS k WHERE k.a = w.a ORDER BY k.v DESC, w.b LIMIT 2",
    "UPDATE w SET c = 'third' FROM (SELECT 1) ORDER BY 1 DESC LIMIT 1", "SELECT * FROM w ORDER BY a, b"),
  one("UPDATE FROM with LIMIT under a trigger", ...joined, "CREATE TABLE log(x)",
    "CREATE TRIGGER tu AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (old.b || '>' || new.b); END",
    "UPDATE t SET b = v FROM s WHERE s.id = t.id ORDER BY v DESC LIMIT 2", "SELECT * FROM log", rows),
  { name: "UPDATE FROM with LIMIT and parameters", requests: [...joined.map((sql) => ({ sql })),
    { sql: "UPDATE t SET b = ? || v FROM s WHERE s.id = t.id AND t.id > ? RETURNING id + ?, b ORDER BY v LIMIT ?", params: ["new ", 1, 100, 1] },
    { sql: "UPDATE t SET b = ?2 FROM s WHERE s.id = t.id AND v = ?1 LIMIT ?3", params: ["q", "two", 1] }, { sql: rows }] },
]);

const fails = [
  "INSERT INTO t VALUES (1, 0, 0)", "INSERT INTO nope VALUES (1)", "INSERT INTO t VALUES (9, 0)", "SELEC 1",
  "UPDATE t SET id = 'text' WHERE id = 1", "SELECT abs(-9223372036854775808)", "INSERT INTO c VALUES (-1)",
  "INSERT INTO f VALUES (99)", "UPDATE t SET nope = 1", "DROP TABLE nope", "CREATE TABLE t(a)", "SELECT json('{')",
  "INSERT OR ROLLBACK INTO t VALUES (1, 0, 0)", "INSERT OR FAIL INTO t VALUES (20, 0, 0), (1, 0, 0)", "SELECT ?",
  "INSERT INTO r VALUES (1)", "BEGIN", "ALTER TABLE t DROP COLUMN id", "PRAGMA journal_mode = delete",
];
const batches = () => fails.map((bad) => ({ name: `batch failing with: ${bad}`, requests: [
  { batch: [...table, "CREATE TABLE c(a CHECK (a > 0))", "CREATE TABLE f(a REFERENCES t)", "CREATE TABLE r(a)",
    "CREATE TRIGGER ri BEFORE INSERT ON r BEGIN SELECT RAISE(ROLLBACK, 'not here'); END"].map((sql) => ({ sql })) },
  { batch: ["INSERT INTO t VALUES (10, 1, 1)", "CREATE TABLE made(a)", "DELETE FROM t WHERE id = 2", bad, "DELETE FROM t"].map((sql) => ({ sql })) },
  { sql: rows }, { sql: "SELECT name FROM sqlite_master WHERE name = 'made'" },
  { batch: [{ sql: "INSERT INTO t VALUES (11, 1, 1)" }, { sql: "SELECT count(*), max(id) FROM t" }] },
] }));

const view = [
  ...table, "CREATE TABLE log(op, id, a)", "CREATE VIEW v AS SELECT id, a FROM t",
  "CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT INTO t(id, a) VALUES (new.id, new.a); INSERT INTO log VALUES ('i', new.id, new.a); END",
  "CREATE TRIGGER vu INSTEAD OF UPDATE OF a ON v BEGIN INSERT INTO log VALUES ('u', old.id, new.a); UPDATE t SET a = new.a WHERE id = old.id; END",
  "CREATE TRIGGER vd INSTEAD OF DELETE ON v BEGIN INSERT INTO log VALUES ('d', old.id, old.a); DELETE FROM t WHERE id = old.id; END",
];
const views = () => onto("view", view, [rows, "SELECT * FROM log", "SELECT changes(), last_insert_rowid()"], [
  "INSERT INTO v VALUES (8, 80), (9, 90)", "INSERT INTO v(a) VALUES (80)", "INSERT INTO v VALUES (1, 5)",
  "INSERT OR REPLACE INTO v VALUES (1, 5)", "INSERT OR IGNORE INTO v VALUES (1, 5)", "INSERT INTO v DEFAULT VALUES",
  "INSERT INTO v VALUES (8, 80) RETURNING *", "INSERT INTO v VALUES (8, 80) ON CONFLICT DO NOTHING",
  "INSERT INTO v SELECT id + 10, a FROM v WHERE a > 10", "INSERT INTO v VALUES (1)",
  "UPDATE v SET a = a + 1 WHERE a = 10", "UPDATE v SET id = id + 1", "UPDATE v SET a = 7 RETURNING id, a", "UPDATE v SET nope = 1",
  "UPDATE v SET a = k FROM (SELECT 2 AS n, 'k' AS k) WHERE n = id", "UPDATE v SET a = 1 WHERE rowid = 1",
  "DELETE FROM v WHERE id > 3", "DELETE FROM v", "DELETE FROM v WHERE id = 2 RETURNING a", "REPLACE INTO v VALUES (2, 2)",
  "DELETE FROM v LIMIT 1", "DELETE FROM v ORDER BY id DESC LIMIT 2", "UPDATE v SET a = 1 LIMIT 1", "UPDATE v SET a = nope LIMIT 1",
  "DELETE FROM v WHERE rowid = 1 LIMIT 1",
]).concat(numbered("views of views", [
  ["CREATE VIEW v AS SELECT 1 AS a", "INSERT INTO v VALUES (1)", "UPDATE v SET a = 1", "DELETE FROM v", "DELETE FROM v LIMIT 1", "UPDATE v SET a = 1 LIMIT 1"],
  ["CREATE VIEW v(a, b) AS SELECT 1", "SELECT * FROM v"], ["CREATE VIEW v(a, a) AS SELECT 1, 2", "SELECT * FROM v"],
  ["CREATE VIEW v AS SELECT * FROM nope", "SELECT * FROM v", "CREATE TABLE nope(z)", "SELECT * FROM v", "DROP TABLE nope", "SELECT * FROM v", "DROP VIEW v"],
  ["CREATE VIEW v AS SELECT * FROM v", "SELECT * FROM v"], ["CREATE VIEW v AS SELECT a FROM w", "CREATE VIEW w AS SELECT a FROM v", "SELECT * FROM v"],
  ["CREATE VIEW v AS SELECT ? AS a"], ["CREATE VIEW v AS VALUES (1, 2), (3, 4)", "SELECT * FROM v"],
  ["CREATE VIEW IF NOT EXISTS v AS SELECT 1", "CREATE VIEW IF NOT EXISTS v AS SELECT 2", "SELECT * FROM v", "CREATE VIEW v AS SELECT 3"],
  ["CREATE TABLE t(a)", "CREATE VIEW v AS SELECT a FROM t", "CREATE TRIGGER x AFTER INSERT ON v BEGIN SELECT 1; END", "CREATE TRIGGER y INSTEAD OF INSERT ON t BEGIN SELECT 1; END"],
  ["CREATE VIEW v AS SELECT 1", "DROP TABLE v", "CREATE INDEX i ON v(a)", "ALTER TABLE v ADD COLUMN b", "ALTER TABLE v RENAME TO w", "SELECT * FROM v"],
]));

const ctes = () => numbered("CTE", [
  "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT * FROM c",
  "WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT (n * 3) % 7 FROM c) SELECT * FROM c",
  "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 4 OFFSET 2) SELECT * FROM c",
  "WITH RECURSIVE c(n, d) AS (SELECT 1, 0 UNION ALL SELECT n * 2 + k, d + 1 FROM c, (SELECT 0 AS k UNION ALL SELECT 1) WHERE d < 2 ORDER BY 2 DESC, 1) SELECT * FROM c",
  "WITH c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n FROM c ORDER BY n DESC",
  "WITH c(n) AS (SELECT 1 UNION ALL SELECT count(*) FROM c) SELECT * FROM c", "WITH c(n) AS (SELECT n FROM c) SELECT * FROM c",
  "WITH c(n) AS (SELECT 1 UNION ALL SELECT a.n FROM c AS a, c AS b LIMIT 3) SELECT * FROM c",
  "WITH c(n) AS (SELECT 1 EXCEPT SELECT n FROM c) SELECT * FROM c", "WITH c(n, m) AS (SELECT 1) SELECT * FROM c",
  "WITH c AS (SELECT 1 AS a), c AS (SELECT 2) SELECT * FROM c", "WITH a AS (SELECT * FROM b), b AS (SELECT 2 AS x) SELECT * FROM a",
  "WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a",
  "WITH a AS MATERIALIZED (SELECT 1 AS x) SELECT a.x, b.x FROM a, a AS b", "WITH a AS NOT MATERIALIZED (SELECT 1 AS x) SELECT a.x, b.x FROM a, a AS b",
  "WITH a AS NOT (SELECT 1) SELECT * FROM a", "WITH a AS (SELECT 1) SELECT * FROM (WITH a AS (SELECT 2) SELECT * FROM a), a",
  "WITH a AS (SELECT 1)", "WITH a AS (VALUES (1), (2)) SELECT sum(column1) FROM a", "WITH a(x) AS MATERIALIZED (VALUES (1), (2)) SELECT x FROM a WHERE x > 1",
  ["CREATE TABLE t(a)", "WITH c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4) INSERT INTO t SELECT n FROM c", "WITH m AS (SELECT max(a) AS m FROM t) DELETE FROM t WHERE a = (SELECT m FROM m)", "WITH m AS MATERIALIZED (SELECT avg(a) AS v FROM t) UPDATE t SET a = (SELECT v FROM m) RETURNING a", "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", "SELECT * FROM t"],
  ["CREATE TABLE e(p, c)", "INSERT INTO e VALUES (1, 2), (1, 3), (2, 4), (4, 1)", "WITH RECURSIVE r(n) AS (VALUES (1) UNION SELECT c FROM e, r WHERE p = n) SELECT group_concat(n) FROM r", "WITH RECURSIVE r(n, path) AS (SELECT 1, '/1' UNION ALL SELECT c, path || '/' || c FROM e JOIN r ON p = n WHERE length(path) < 9) SELECT * FROM r"],
]);

const altered = [
  "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'd', b UNIQUE, c CHECK (c > 0), d REFERENCES t(id), g AS (a || '!'), h)",
  "INSERT INTO t(id, a, b, c) VALUES (1, 'x', 2, 3)", "CREATE INDEX ia ON t(a) WHERE h IS NULL", "CREATE INDEX ie ON t(lower(a))",
  "CREATE VIEW v AS SELECT a, c AS b FROM t AS z WHERE z.a > ''", "CREATE TABLE log(x)",
  "CREATE TRIGGER tu AFTER UPDATE OF a ON t WHEN new.a <> old.a BEGIN INSERT INTO log SELECT a FROM t WHERE a = new.a; END",
];
const alters = () => onto("ALTER", altered, ["SELECT type, name, sql FROM sqlite_master", "SELECT * FROM t", "SELECT * FROM v", "UPDATE t SET c = 4"], [
  "ALTER TABLE t RENAME COLUMN a TO z", "ALTER TABLE t RENAME a TO \"a b\"", "ALTER TABLE t RENAME COLUMN c TO b", "ALTER TABLE t RENAME COLUMN c TO a",
  "ALTER TABLE t RENAME COLUMN nope TO z", "ALTER TABLE t RENAME COLUMN id TO key", "ALTER TABLE t RENAME COLUMN d TO parent", "ALTER TABLE t RENAME COLUMN g TO shout",
  "ALTER TABLE t RENAME COLUMN h TO \"select\"", "ALTER TABLE t RENAME TO u", "ALTER TABLE t RENAME TO log", "ALTER TABLE t RENAME TO v", "ALTER TABLE v RENAME COLUMN a TO z",
  "ALTER TABLE t DROP COLUMN id", "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t DROP COLUMN b", "ALTER TABLE t DROP COLUMN c", "ALTER TABLE t DROP COLUMN d",
  "ALTER TABLE t DROP COLUMN g", "ALTER TABLE t DROP COLUMN h", "ALTER TABLE t DROP COLUMN nope", "ALTER TABLE log DROP COLUMN x", "ALTER TABLE v DROP COLUMN a",
  "ALTER TABLE t ADD COLUMN e NOT NULL", "ALTER TABLE t ADD COLUMN e NOT NULL DEFAULT 1", "ALTER TABLE t ADD COLUMN e UNIQUE", "ALTER TABLE t ADD COLUMN e PRIMARY KEY",
  "ALTER TABLE t ADD COLUMN e DEFAULT (1 + 1)", "ALTER TABLE t ADD COLUMN e DEFAULT CURRENT_TIMESTAMP", "ALTER TABLE t ADD COLUMN e CHECK (e > 0)", "ALTER TABLE t ADD COLUMN e DEFAULT 0 CHECK (e > 0)",
  "ALTER TABLE t ADD COLUMN e REFERENCES t DEFAULT 1", "ALTER TABLE t ADD COLUMN e AS (c + 1)", "ALTER TABLE t ADD COLUMN e AS (c + 1) STORED", "ALTER TABLE t ADD COLUMN A", "ALTER TABLE t ADD e",
  ["DROP VIEW v", "DROP TRIGGER tu", "ALTER TABLE t DROP COLUMN h"], ["DROP INDEX ia", "ALTER TABLE t DROP COLUMN h"], ["ALTER TABLE t ADD COLUMN e", "ALTER TABLE t DROP COLUMN e"],
]);

const upserted = ["CREATE TABLE t(k PRIMARY KEY, u UNIQUE, n DEFAULT 0)", "CREATE UNIQUE INDEX part ON t(n) WHERE n > 100", "INSERT INTO t VALUES ('a', 1, 10), ('b', 2, 200)"];
const upserts = () => onto("upsert", upserted, ["SELECT rowid, * FROM t ORDER BY rowid", "SELECT changes(), last_insert_rowid()"], [
  "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT DO NOTHING", "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(k) DO NOTHING", "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(u) DO NOTHING",
  "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(k) DO UPDATE SET n = n + 1", "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(k) DO UPDATE SET n = excluded.n, u = excluded.u",
  "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(k) DO UPDATE SET n = 5 WHERE t.n > 50", "INSERT INTO t VALUES ('a', 2, 9) ON CONFLICT(k) DO UPDATE SET u = excluded.u",
  "INSERT INTO t VALUES ('z', 2, 9) ON CONFLICT(k) DO NOTHING ON CONFLICT(u) DO UPDATE SET n = 77", "INSERT INTO t VALUES ('a', 2, 9) ON CONFLICT(u) DO UPDATE SET n = 66 ON CONFLICT(k) DO UPDATE SET n = 77",
  "INSERT INTO t VALUES ('z', 9, 200) ON CONFLICT(n) WHERE n > 100 DO UPDATE SET k = 'q'", "INSERT INTO t VALUES ('z', 9, 200) ON CONFLICT(n) DO NOTHING", "INSERT INTO t VALUES ('z', 2, 9) ON CONFLICT DO UPDATE SET n = 1",
  "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT DO NOTHING ON CONFLICT(k) DO NOTHING", "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(nope) DO NOTHING", "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(k) DO UPDATE SET nope = 1",
  "INSERT INTO t SELECT 'a', 9, 9 WHERE true ON CONFLICT(k) DO UPDATE SET n = 1", "INSERT INTO t SELECT 'a', 9, 9 FROM t ON CONFLICT(k) DO NOTHING", "INSERT INTO t VALUES ('c', 3, 1), ('c', 4, 2) ON CONFLICT(k) DO UPDATE SET n = n + excluded.n",
  "INSERT OR IGNORE INTO t VALUES ('a', 2, 9) ON CONFLICT(k) DO UPDATE SET u = 2", "INSERT OR REPLACE INTO t VALUES ('a', 2, 9) ON CONFLICT(k) DO UPDATE SET n = 1",
  "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(k) DO UPDATE SET (u, n) = (SELECT 50, 60) RETURNING *", "INSERT INTO t VALUES ('a', 9, 9) ON CONFLICT(k) DO UPDATE SET n = 5 WHERE false RETURNING *",
  "INSERT INTO t AS x VALUES ('a', 9, 9) ON CONFLICT(k) DO UPDATE SET n = x.n + 1", "INSERT INTO t DEFAULT VALUES ON CONFLICT DO NOTHING", "INSERT INTO t VALUES (NULL, 9, 9) ON CONFLICT(k) DO NOTHING",
]);

const returning = () => onto("RETURNING", table, [rows], [
  "INSERT INTO t VALUES (6, 1, 2) RETURNING *", "INSERT INTO t(a) VALUES (1), (2) RETURNING id, rowid, a + 1 AS n", "INSERT INTO t(a) SELECT a FROM t WHERE a = 10 RETURNING id", "INSERT INTO t VALUES (6, 1, 2) RETURNING t.*",
  "INSERT INTO t VALUES (6, 1, 2) RETURNING nope", "INSERT INTO t VALUES (6, 1, 2) RETURNING count(*)", "INSERT INTO t VALUES (6, 1, 2) RETURNING (SELECT count(*) FROM t)", "INSERT INTO t VALUES (6, 1, 2) RETURNING row_number() OVER ()",
  "INSERT OR IGNORE INTO t VALUES (1, 1, 2), (6, 1, 2) RETURNING id", "REPLACE INTO t VALUES (1, 1, 2) RETURNING *", "INSERT OR FAIL INTO t VALUES (6, 1, 2), (1, 1, 2) RETURNING id", "INSERT INTO t DEFAULT VALUES RETURNING id, a",
  "UPDATE t SET a = a + 1 WHERE b = 'x' RETURNING id, a, a - 1", "UPDATE t SET id = id + 10 WHERE id > 3 RETURNING id, id AS ID", "UPDATE t SET a = 1 WHERE false RETURNING *", "UPDATE t SET a = k.v FROM (SELECT 2 AS i, 'k' AS v) AS k WHERE i = id RETURNING id, a",
  "UPDATE t AS x SET a = 1 WHERE id = 1 RETURNING x.id", "UPDATE t SET a = 1 WHERE id = 1 RETURNING new.a", "DELETE FROM t WHERE a = 10 RETURNING id, b", "DELETE FROM t RETURNING changes()", "DELETE FROM t RETURNING", "DELETE FROM t RETURNING 'text', x'00ff', 1.5, NULL LIMIT 1",
  "SELECT * FROM (DELETE FROM t RETURNING *)", "DELETE FROM t RETURNING typeof(a) AS \"type\", id AS i",
]);

export const statements = () =>
  [limited, limitedFrom, batches, views, ctes, alters, upserts, returning].flatMap((family) => family());
