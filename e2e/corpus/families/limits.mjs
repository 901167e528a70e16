// Every limit: just within, at, and beyond.
import { around, range } from "./shared.mjs";

export function limits() {
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
