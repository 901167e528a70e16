// Window functions: every frame, every EXCLUDE, partitions, filters, errors.
import { one, pairs } from "./shared.mjs";

const schema = ["CREATE TABLE t(id INTEGER PRIMARY KEY, g, x, s)", "INSERT INTO t VALUES (1, 'a', 1, 'p'), (2, 'a', 2, 'q'), (3, 'b', 2, 'r'), (4, 'a', NULL, 's'), (5, 'b', 5, 't'), (6, 'a', 2, 'u'), (7, 'b', 1.5, 'v')"];

const bounds = [
  "UNBOUNDED PRECEDING", "CURRENT ROW", "1 PRECEDING", "BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING", "BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING", "BETWEEN CURRENT ROW AND CURRENT ROW", "BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", "BETWEEN CURRENT ROW AND 1 FOLLOWING",
  "BETWEEN 1 PRECEDING AND 1 FOLLOWING", "BETWEEN 2 PRECEDING AND 1 PRECEDING", "BETWEEN 1 FOLLOWING AND 2 FOLLOWING", "BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING", "BETWEEN 0 PRECEDING AND 0 FOLLOWING", "BETWEEN 1 PRECEDING AND 2 PRECEDING", "BETWEEN 2 FOLLOWING AND 1 FOLLOWING",
  "BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW", "BETWEEN CURRENT ROW AND 1 PRECEDING", "BETWEEN CURRENT ROW AND UNBOUNDED PRECEDING", "BETWEEN -1 PRECEDING AND CURRENT ROW", "BETWEEN 'x' PRECEDING AND CURRENT ROW", "BETWEEN 1.5 PRECEDING AND CURRENT ROW", "BETWEEN NULL PRECEDING AND CURRENT ROW", "BETWEEN x PRECEDING AND CURRENT ROW", "BETWEEN ? PRECEDING AND CURRENT ROW", "1 FOLLOWING",
];
const excludes = ["", "EXCLUDE CURRENT ROW", "EXCLUDE GROUP", "EXCLUDE TIES", "EXCLUDE NO OTHERS"];

const functions = ["count(*)", "sum(x)", "total(x)", "avg(x)", "min(x)", "max(x)", "group_concat(s)", "group_concat(s, '-')", "first_value(s)", "last_value(s)", "nth_value(s, 2)", "nth_value(s, 0)", "nth_value(s, 'x')", "row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(3)", "ntile(0)", "ntile('x')", "lag(s)", "lag(s, 2)", "lag(s, 1, '-')", "lag(s, -1)", "lag(s, NULL)", "lead(s)", "lead(s, 0)", "lead(s, 2, x)", "json_group_array(s)", "count(DISTINCT x)", "abs(x)", "lag()", "row_number(1)", "sum(*)", "string_agg(s, ',')"];
const overs = ["OVER ()", "OVER (ORDER BY id)", "OVER (PARTITION BY g ORDER BY id)", "OVER (PARTITION BY g)", "OVER (ORDER BY x, id)", "OVER (ORDER BY x DESC NULLS LAST)", "OVER (PARTITION BY g, x ORDER BY s DESC)", "OVER w", "FILTER (WHERE x > 1) OVER (ORDER BY id)", "OVER (w ROWS 1 PRECEDING)", "OVER (w ORDER BY s)", "OVER nope"];

export function windowCases() {
  return [
    ...pairs(["ROWS", "RANGE", "GROUPS"], bounds).map(([type, bound]) => ({
      name: `${type} ${bound}`,
      requests: [...schema.map((sql) => ({ sql })), ...excludes.flatMap((exclude) => {
        const sql = `SELECT id, count(*) OVER w, sum(x) OVER w, group_concat(s) OVER w, first_value(s) OVER w, nth_value(s, 2) OVER w, min(x) FILTER (WHERE id > 2) OVER w FROM t WINDOW w AS (ORDER BY x ${type} ${bound} ${exclude}) ORDER BY id`;
        return bound.includes("?") ? [{ sql, params: [1] }] : [{ sql }];
      }), { sql: `SELECT id, last_value(s) OVER (PARTITION BY g ORDER BY id ${type} ${bound}) FROM t ORDER BY id`, ...(bound.includes("?") && { params: ["2"] }) }],
    })),
    ...functions.map((f) => one(`${f} over every window`, ...schema, ...overs.map((over) => `SELECT id, ${f} ${over} AS v FROM t WINDOW w AS (PARTITION BY g ORDER BY id) ORDER BY id`))),
    one("windows where they may not be", ...schema, "SELECT id FROM t WHERE sum(x) OVER () > 1", "SELECT g FROM t GROUP BY row_number() OVER ()", "SELECT g FROM t GROUP BY g HAVING sum(x) OVER ()", "UPDATE t SET x = sum(x) OVER ()", "SELECT sum(sum(x) OVER ()) FROM t", "SELECT sum(x) OVER (ORDER BY sum(x) OVER ()) FROM t", "SELECT row_number() FROM t", "SELECT id FROM t ORDER BY row_number() OVER (ORDER BY x DESC), id", "SELECT sum(count(*)) OVER (ORDER BY g) FROM t GROUP BY g", "SELECT DISTINCT rank() OVER (ORDER BY g) FROM t", "SELECT id FROM t LIMIT sum(1) OVER ()", "CREATE INDEX i ON t(sum(x) OVER ())", "SELECT (SELECT sum(t.x) OVER ()) FROM t", "INSERT INTO t(g) VALUES (row_number() OVER ())", "SELECT sum(x) OVER (RANGE 1 PRECEDING) FROM t", "SELECT sum(x) OVER (ORDER BY id, x RANGE 1 PRECEDING) FROM t", "SELECT sum(x) OVER (GROUPS 1 PRECEDING) FROM t", "SELECT sum(x) OVER (ORDER BY s RANGE 1 PRECEDING) FROM t"),
    one("windows of windows", ...schema, "SELECT id, sum(x) OVER w2 FROM t WINDOW w1 AS (PARTITION BY g), w2 AS (w1 ORDER BY id) ORDER BY id", "SELECT sum(x) OVER w2 FROM t WINDOW w1 AS (ORDER BY id), w2 AS (w1 ORDER BY x)", "SELECT sum(x) OVER w2 FROM t WINDOW w1 AS (ORDER BY id ROWS 1 PRECEDING), w2 AS (w1)", "SELECT sum(x) OVER w2 FROM t WINDOW w2 AS (w1 PARTITION BY g), w1 AS (ORDER BY id)", "SELECT sum(x) OVER w FROM t WINDOW w AS (ORDER BY id), w AS (ORDER BY x)", "SELECT sum(x) OVER w, (SELECT count(*) OVER w FROM t WINDOW w AS (PARTITION BY g) LIMIT 1) FROM t WINDOW w AS (ORDER BY id)", "WITH c AS (SELECT g, sum(x) OVER (PARTITION BY g) AS v FROM t) SELECT DISTINCT * FROM c ORDER BY g", "CREATE VIEW v AS SELECT id, rank() OVER (ORDER BY x) AS r FROM t", "SELECT * FROM v WHERE r < 4 ORDER BY id", "UPDATE t SET x = (SELECT r FROM v WHERE v.id = t.id)", "SELECT x FROM t ORDER BY id", "DELETE FROM t WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY g ORDER BY id) AS n FROM t) WHERE n > 1)", "SELECT id FROM t"),
  ];
}
