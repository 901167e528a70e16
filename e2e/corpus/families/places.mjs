// Every function where it may stand: SQLite and D1 refuse some in some places.
import { one } from "./shared.mjs";

// Functions that workerd allows, with a call of each on a column a.
const allowed = [
  "abs(a)", "changes()", "char(a)", "coalesce(a, 1)", "concat(a)", "concat_ws(',', a)", "format('%s', a)", "glob('a*', a)", "hex(a)", "ifnull(a, 1)", "iif(a, 1, 2)", "instr(a, 'x')", "last_insert_rowid()",
  "length(a)", "like('a%', a)", "likelihood(a, 0.5)", "likely(a)", "load_extension(a)", "lower(a)", "max(a, 1)", "min(a, 1)", "nullif(a, 1)", "octet_length(a)", "printf('%d', a)", "quote(a)", "random()", "randomblob(a)",
  "replace(a, 'x', 'y')", "round(a)", "sign(a)", "substr(a, 1)", "total_changes()", "trim(a)", "typeof(a)", "unhex(a)", "unicode(a)", "unlikely(a)", "upper(a)", "zeroblob(a)",
  "date(a)", "date()", "datetime('now')", "datetime(a, 'localtime')", "julianday(a)", "unixepoch(a)", "unixepoch()", "strftime('%Y', a)", "strftime('%s')", "timediff(a, a)", "current_timestamp", "current_date", "current_time",
  "avg(a)", "count(*)", "group_concat(a)", "sum(a)", "total(a)", "max(a)", "row_number() OVER ()", "rank() OVER (ORDER BY a)", "lag(a) OVER (ORDER BY a)", "sum(a) OVER ()",
  "acos(a)", "pi()", "pow(a, 2)", "sqrt(a)", "trunc(a)",
  "json(a)", "jsonb(a)", "json_array(a)", "json_array_length(a)", "json_extract(a, '$')", "a -> '$'", "a ->> 'x'", "json_insert(a, '$.x', 1)", "json_object('k', a)", "json_patch(a, a)", "json_pretty(a)", "json_remove(a, '$')", "json_set(a, '$.x', 1)", "json_type(a)", "json_valid(a)", "json_quote(a)",
  "json_error_position(a)", "json_group_array(a)", "jsonb_group_object(a, a)", "match('x', a)", "highlight(a, 0, 'x', 'y')", "bm25(a)", "snippet(a, 0, '', '', '', 1)", "rtreecheck('main', 'r')",
  "unistr(a)", "unistr_quote(a)", "if(a, 1)", "ceiling(a)", "power(a, 2)", "subtype(a)", "string_agg(a, ',')", "json_array_insert(a, '$[0]', 1)", "substring(a, 1)", "ltrim(a, 'x')", "atan2(a, 1)", "log(a)", "mod(a, 2)", "ln(a)",
];

// Functions that SQLite or this engine may have and workerd has not, or refuses.
const missing = [
  "sqlite_version()", "sqlite_source_id()", "sqlite_offset(a)", "sqlite_compileoption_used('X')", "sqlite_compileoption_get(0)", "sqlite_log(1, 'x')", "soundex(a)", "regexp('a', a)", "a REGEXP 'x'", "regexp_like(a, 'x')", "regexp_replace(a, 'x', 'y')",
  "base64(a)", "base85(a)", "is_base85(a)", "decimal(a)", "decimal_add(a, a)", "decimal_sum(a)", "ieee754(a)", "ieee754_mantissa(a)", "geopoly_area(a)", "geopoly_json(a)", "uuid()", "gen_random_uuid()", "median(a)", "percentile(a, 50)", "stddev(a)", "fts5(a)", "fts5_source_id()", "fts5_locale('en', a)",
  "fts5_insttoken(a)", "fts5_get_locale(a, 0)", "rtreenode(2, a)", "rtreedepth(a)", "sha1(a)", "md5(a)", "crc32(a)", "reverse(a)", "now()", "readfile('x')", "eval('SELECT 1')", "sqlite_rename_column(1,2,3,4,5,6,7,8,9)", "sqlite_drop_column(1, 2, 3)", "sqlite_rename_quotefix('main', a)", "sqlite_fail(a)",
  "generate_series(1, 2)", "json_each(a)", "affinity(a)", "ceil(a, 1)", "no_such_function(a)", "fts3_tokenizer(a)", "matchinfo(a)", "optimize(a)", "offsets(a)", "zipfile(a, a)", "sqlar_compress(a)", "shell_add_schema(a)", "load_extension(a, 'x')", "random(1)", "date(a, 1, 2)", "count(a, a)", "match(a)", "implies_nonnull_row(a, a)",
];

// Each place has a table of its own, so that one that works does not spoil the next.
const places = (call) => [
  `SELECT ${call} AS v FROM t`,
  `SELECT a FROM t WHERE ${call}`,
  `SELECT a FROM t ORDER BY ${call}`,
  `SELECT count(*) FROM t GROUP BY ${call}`,
  `SELECT a FROM t GROUP BY a HAVING ${call}`,
  `CREATE TABLE d(a DEFAULT (${call}), b)`,
  `CREATE TABLE d2(b, a DEFAULT (${call.replace(/\ba\b/g, "1")}))`,
  `CREATE TABLE c(a CHECK (${call}))`,
  `CREATE TABLE g(a, b AS (${call}))`,
  `CREATE TABLE s(a, b AS (${call}) STORED)`,
  `ALTER TABLE t ADD COLUMN z AS (${call})`,
  `ALTER TABLE t ADD COLUMN y DEFAULT (${call.replace(/\ba\b/g, "1")})`,
  `CREATE INDEX i ON t(${call})`,
  `CREATE INDEX p ON t(a) WHERE ${call}`,
  `CREATE VIEW v AS SELECT ${call} AS v FROM t`,
  `CREATE TRIGGER r AFTER UPDATE ON t WHEN ${call.replace(/\ba\b/g, "new.a")} BEGIN SELECT 1; END`,
  `CREATE TRIGGER q AFTER DELETE ON t BEGIN INSERT INTO w SELECT ${call} FROM t; END`,
  `UPDATE t SET a = ${call} WHERE 0`,
  `SELECT name FROM sqlite_schema ORDER BY name`,
];

// What a fault in the schema does later: a view is read, a trigger fires, a default
// is used. The outcome is kept to what does not depend on chance or the clock.
const uses = [
  "SELECT count(*) FROM v", "INSERT INTO d2(b) VALUES (1)", "INSERT INTO c VALUES (1)", "INSERT INTO g(a) VALUES (1)", "INSERT INTO s(a) VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t",
  "SELECT count(*) FROM w", "SELECT count(*) FROM d2",
];

const steady = (call) => !/random|now|current_|^date\(\)|unixepoch\(\)|'%s'\)|localtime/.test(call);

export function placeCases() {
  return [...allowed, ...missing].map((call) => {
    const statements = ["CREATE TABLE t(a)", "CREATE TABLE w(v)", "INSERT INTO t VALUES (1)", ...places(call), ...uses];
    const known = (sql) => allowed.includes(call) || sql !== `ALTER TABLE t ADD COLUMN z AS (${call})`; // see schema.json
    const quiet = statements.filter(known).filter((sql) => steady(call) || !/^SELECT.*(AS v FROM t|WHERE|HAVING)|^INSERT INTO c /.test(sql));
    return one(call, quiet);
  });
}
