// Texts: their functions, NUL, characters outside of ASCII, patterns, and
// collations.
import { one, pairs } from "./shared.mjs";

const texts = ["''", "'abc'", "'ABCabc'", "'héllo wörld'", "'日本語'", "'🙈🙉'", "'e' || char(0x301)", "'a' || char(0) || 'b'", "char(0)", "'  pad  '", "'a\tb\nc'", "x'616263'", "x''", "x'00ff'", "x'ff61'", "CAST(x'c328' AS TEXT)", "NULL", "12", "-1.5", "1e300", "char(55296)", "char(1114111)", "char(65533)"];

const calls = [
  "length(?)", "octet_length(?)", "upper(?)", "lower(?)", "trim(?)", "ltrim(?)", "rtrim(?)", "trim(?, 'ab ')", "hex(?)", "quote(?)", "unicode(?)", "typeof(?)",
  "substr(?, 2)", "substr(?, -2)", "substr(?, 0, 2)", "substr(?, 2, 1)", "substr(?, -1, -1)", "substr(?, 3, -2)", "substr(?, 99)", "substr(?, 1, 99)",
  "instr(?, 'b')", "instr(?, '')", "instr(?, char(0))", "instr(?, x'62')", "replace(?, 'b', 'XX')", "replace(?, '', 'y')", "replace(?, char(0), '-')",
  "? || '|'", "concat(?, 1, ?)", "concat_ws('-', ?, NULL, ?)", "json_quote(?)", "printf('%s|%10s|%-4s|%.2s', ?, ?, ?, ?)", "printf('%q %Q %w', ?, ?, ?)",
  "unhex(?)", "? = CAST(? AS BLOB)", "CAST(CAST(? AS BLOB) AS TEXT)", "length(CAST(? AS BLOB))", "min(?, 'b')", "nullif(?, 'abc')", "? COLLATE NOCASE = 'ABC'", "? COLLATE RTRIM = '  pad'", "unistr(?)", "unistr_quote(?)",
];

const positions = ["0", "1", "-1", "3", "-3", "100", "-100", "2147483647", "-2147483648", "2147483648", "4294967296", "4294967297", "-4294967296", "9223372036854775807", "-9223372036854775808", "1.9", "'2'", "NULL", "'x'", "1e10", "-1e10", "1e300"];

const patterns = ["", "%", "_", "%%", "a%", "%a", "%b%", "a_c", "___", "A%", "é%", "É%", "_é_", "%\\%%", "100\\%", "[a]", "*", "?", "a*", "*c", "a?c", "[a-c]*", "[^a]*", "[!a]*", "[]]", "[a", "[-a]", "[a-]", "*[0-9]*", "**", "?*", "é?", "abc", "ABC", "%_%_%", "a%c%", "🙈%"];
const subjects = ["''", "'abc'", "'ABC'", "'aéc'", "'ÉA'", "'100%'", "'a%c'", "'[a]'", "'-'", "']'", "'🙈🙉'", "'a' || char(0) || 'c'", "123", "1.0", "NULL", "'a\nc'"];
const blobs = ["x'616263'", "x'41'", "x'61c3'", "x''"];

const words = ["'abc'", "'ABC'", "'abc '", "' abc'", "'Abc'", "'äbc'", "'ÄBC'", "''", "' '", "'a' || char(0)", "x'616263'", "NULL", "1"];
const collations = ["BINARY", "NOCASE", "RTRIM", "nocase", "\"NOCASE\"", "'NOCASE'", "NOPE", "UNICODE", "decimal", "uint"];

// inBatch puts the last n requests of a case into one, which a PRAGMA lasts for.
const inBatch = (n, { name, requests }) => ({ name, requests: [...requests.slice(0, -n), { batch: requests.slice(-n) }] });

export function textCases() {
  return [
    ...["like('%b%', t)", "glob('*b*', t)"].map((call) => one(call, texts.filter((t) => !t.startsWith("x")).map((t) => `SELECT ${call.replace("t)", `${t})`)} AS v`))),
    ...calls.map((call) => one(call.replaceAll("?", "t"), ...texts.map((t) => `SELECT ${call.replaceAll("?", t)} AS v`))),
    ...["'abcdef'", "'héllo'", "x'010203'", "''", "12345"].map((t) => one(`substr(${t}) at every position`, ...positions.flatMap((p) => [`SELECT substr(${t}, ${p}) AS a, substr(${t}, ${p}, 2) AS b, substr(${t}, 2, ${p}) AS c, substr(${t}, ${p}, ${p}) AS d`]))),
    ...pairs(["LIKE", "GLOB"], patterns).map(([op, p]) => one(`${op} ${JSON.stringify(p)}`,
      `SELECT ${subjects.map((s) => `${s} ${op} '${p}'`).join(", ")}`, `SELECT ${subjects.map((s) => `'${p}' ${op} ${s}`).join(", ")}`)),
    ...pairs(["LIKE", "GLOB"], ["%", "a*", "_b_", "ABC"]).map(([op, p]) => one(`blobs: ${op} ${JSON.stringify(p)}`, `SELECT ${blobs.map((s) => `${s} ${op} '${p}', '${p}' ${op} ${s}`).join(", ")}`, `SELECT ${subjects.map((s) => `${s} ${op} CAST('${p}' AS BLOB)`).join(", ")}`)),
    ...["x", "!", "%", "_", "é", "", "xy", "a", "\\"].map((e) => one(`LIKE … ESCAPE ${JSON.stringify(e)}`,
      `SELECT 'a%c' LIKE 'a${e}%c' ESCAPE '${e}', 'abc' LIKE 'a${e}%c' ESCAPE '${e}', 'a_c' LIKE 'a${e}_c' ESCAPE '${e}', 'abc' LIKE 'abc${e}' ESCAPE '${e}', '${e}' LIKE '${e}${e}' ESCAPE '${e}'`,
      `SELECT like('a${e}%c', 'a%c', '${e}'), like('A${e}%c', 'a%c', '${e}')`)),
    one("LIKE … ESCAPE of other types", ..."NULL,1,x'21',x'',1.5,''".split(",").map((e) => `SELECT 'a' LIKE 'a' ESCAPE ${e}`), "SELECT 'a' GLOB 'a' ESCAPE 'x'"),
    ...["INTEGER", "TEXT", "BLOB", "", "TEXT COLLATE NOCASE", "TEXT COLLATE BINARY"].map((type) => inBatch(2, one(`LIKE and GLOB on an indexed column ${type}`,
      `CREATE TABLE t(id INTEGER PRIMARY KEY, c ${type})`, "INSERT INTO t(c) VALUES ('abc'), ('ABC'), ('abd'), ('b'), (123), (12), ('12x'), (NULL), (''), ('Ab%'), ('é'), ('a')",
      ...["CREATE INDEX i ON t(c)", "CREATE INDEX n ON t(c COLLATE NOCASE)", "DROP INDEX i"].flatMap((ddl) => [ddl,
        ...["c LIKE 'ab%'", "c LIKE 'AB%'", "c GLOB 'ab*'", "c GLOB 'AB*'", "c LIKE '12%'", "c GLOB '1*'", "c LIKE 'abc'", "c LIKE 'Ab\\%' ESCAPE '\\'", "c NOT LIKE 'a%'", "c LIKE ''", "c LIKE 'é%'", "c GLOB '12'"].map((w) => `SELECT id FROM t WHERE ${w} ORDER BY id`)]),
      "PRAGMA case_sensitive_like = ON", "SELECT id FROM t WHERE c LIKE 'AB%' ORDER BY id"))),
    { name: "case_sensitive_like within a batch", requests: [
      { sql: "CREATE TABLE t(c TEXT)" }, { sql: "INSERT INTO t VALUES ('abc'), ('ABC')" }, { sql: "CREATE INDEX i ON t(c)" },
      { batch: ["PRAGMA case_sensitive_like = ON", "SELECT c FROM t WHERE c LIKE 'ab%'", "SELECT 'a' LIKE 'A', like('a', 'A'), 'a%' LIKE 'Ax%' ESCAPE 'x', 'é' LIKE 'É'", "SELECT 'A' GLOB 'a', glob('a', 'a')", "SELECT 'x' LIKE 'a' || hex(zeroblob(30))"].map((sql) => ({ sql })) },
      { batch: ["PRAGMA case_sensitive_like = OFF", "SELECT c FROM t WHERE c LIKE 'ab%'", "SELECT 'a' LIKE 'A'"].map((sql) => ({ sql })) },
    ] },
    ...collations.map((c) => one(`COLLATE ${c}`,
      `SELECT ${pairs(words.slice(0, 6), words.slice(0, 9)).map(([a, b]) => `${a} = ${b} COLLATE ${c}`).join(", ")}`, `CREATE TABLE t(id INTEGER PRIMARY KEY, v COLLATE ${c})`, `INSERT INTO t(v) VALUES ${words.map((w) => `(${w})`).join(", ")}`,
      "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY v, id)", "SELECT count(DISTINCT v), min(v), max(v) FROM t", "SELECT v, count(*) FROM t GROUP BY v ORDER BY min(id)", `CREATE INDEX i ON t(v COLLATE ${c} DESC)`, "SELECT id FROM t WHERE v = 'ABC' ORDER BY id", "SELECT id FROM t WHERE v IN ('ABC', 'x') ORDER BY id",
      `SELECT id FROM t ORDER BY v COLLATE ${c} DESC, id`, `SELECT v FROM t WHERE id < 4 UNION SELECT 'ABC' COLLATE ${c} ORDER BY 1`, "CREATE UNIQUE INDEX u ON t(v)", `SELECT 'a' < 'B' COLLATE ${c}, max('a', 'B' COLLATE ${c}), nullif('a' COLLATE ${c}, 'A'), CASE 'a' WHEN 'A' COLLATE ${c} THEN 1 ELSE 0 END, 'a' COLLATE ${c} BETWEEN 'A' AND 'B', instr('abc', 'B' COLLATE ${c})`)),
  ];
}
