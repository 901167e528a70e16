// Every kind of value on the left of every operator with every kind on its
// right: as literals, as parameters, and as columns, which bring an affinity.
import { pairs } from "./shared.mjs";

const operators = [
  "+", "-", "*", "/", "%", "||", "&", "|", "<<", ">>", "=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT",
  "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "AND", "OR", "LIKE", "NOT LIKE", "GLOB", "->", "->>", "COLLATE NOCASE =",
];

const literals = [
  "NULL", "0", "1", "-1", "2", "9223372036854775807", "-9223372036854775808", "1.0", "-0.0", "0.5", "1e300", "9e999", "-9e999",
  "''", "'1'", "'1.0'", "' 1'", "'abc'", "'0x10'", "'ABC'", "x''", "x'31'", "x'616263'", "TRUE",
];

const lefts = {
  "an integer": "1", "a large integer": "9223372036854775807", "a real": "1.5", "a number as text": "'1'", "a text": "'abc'",
  "a blob": "x'616263'", "a blob of a digit": "x'31'", "NULL": "NULL",
};

const columns = { INTEGER: 1, TEXT: "1", REAL: 1.5, NUMERIC: "1", BLOB: "1", "TEXT COLLATE NOCASE": "abc" };

// Both sides of a comparison as columns: which affinity is applied to which.
const affinities = ["INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", ""];

// LIKE and GLOB meet blobs in the family of texts.
const matching = (operator) => /LIKE|GLOB/.test(operator);
const isBlob = (value) => Array.isArray(value) || String(value).startsWith("x'");

export function operatorCases() {
  const literal = pairs(Object.keys(lefts), operators).filter(([left, operator]) => !(matching(operator) && isBlob(lefts[left]))).map(([left, operator]) => ({
    name: `${left} ${operator}`,
    requests: [
      { sql: `SELECT ${literals.filter((right) => !(matching(operator) && isBlob(right))).map((right, i) => `${lefts[left]} ${operator} ${right} AS v${i}`).join(", ")}` },
      ...[1, -0.5, "1", "abc", null, true, [49], [97, 98, 99]].filter((right) => !(matching(operator) && isBlob(right))).map((right) => ({ sql: `SELECT ${lefts[left]} ${operator} ? AS v`, params: [right] })),
    ],
  }));
  const column = Object.entries(columns).map(([type, value]) => ({
    name: `a column ${type} and parameters`,
    requests: [
      { sql: `CREATE TABLE t(c ${type})` },
      { sql: "INSERT INTO t VALUES (?)", params: [value] },
      ...operators.map((operator) => ({ sql: `SELECT ${[1, 2, 3, 4, 5].map((n) => `c ${operator} ?${n}, ?${n} ${operator} c`).join(", ")} FROM t`, params: [1, "1", "abc", matching(operator) ? "b" : [49], null] })),
      { sql: "SELECT c IN (?, ?), c NOT IN (?, ?), c BETWEEN ? AND ?, CASE c WHEN ? THEN 'same' END FROM t", params: [1, "x", "1", 2, 0, "2", 1] },
    ],
  }));
  const both = pairs(affinities, affinities).map(([a, b]) => ({
    name: `a column ${a || "without a type"} against a column ${b || "without a type"}`,
    requests: [
      { sql: `CREATE TABLE t(a ${a}, b ${b})` },
      { sql: "INSERT INTO t VALUES (1, '1'), ('1', 1), (1.0, '1.0'), ('1.0', 1.0), ('a', x'61'), (x'61', 'a'), (NULL, 1), (' 1', 1), ('1e1', 10)" },
      { sql: "SELECT a = b, a < b, a IS b, a IN (b), a IN (SELECT b), +a = b, a = +b, CAST(a AS TEXT) = b, a || '' = b, (a, 1) = (b, 1) FROM t" },
      { sql: "SELECT count(*) FROM t AS x, t AS y WHERE x.a = y.b" },
      { sql: "SELECT a FROM t UNION SELECT b FROM t ORDER BY 1" },
      { sql: "SELECT typeof(a), typeof(b), typeof(coalesce(a, b)), typeof(CASE WHEN 1 THEN a END) FROM t" },
    ],
  }));
  return [...literal, ...column, ...both];
}
