// JSON and JSONB: every function on every kind of document, and every path.
import { one, pairs } from "./shared.mjs";

const documents = {
  "an object": "'{\"a\":1,\"b\":[2,{\"c\":null}],\"d e\":\"x\",\"\":true}'", "an array": "'[1,-2.50,\"s\",true,false,null,[],{}]'", "a number": "'1e2'", "a text": "'\"t\\u00e9\\n\"'", "true": "'true'", "null": "'null'", "SQL NULL": "NULL", "JSON5": "'{a:+1,\\n\\'b\\':.5,c:0x1F,d:Infinity,/*x*/e:[1,],}'",
  "malformed": "'{\"a\":1,}x'", "unclosed": "'[1,[2'", "empty": "''", "an SQL integer": "42", "an SQL real": "1.5", "duplicate keys": "'{\"a\":1,\"a\":2}'", "JSONB": "jsonb('{\"a\":[1,2.5,\"x\"],\"b\":null}')", "a bad blob": "x'ff00'", "a blob of text": "x'5b315d'", "large numbers": "'[9223372036854775807,9223372036854775808,1e400,0.1,-0,1E+5]'", "escapes": "'[\"\\\\\\/\\b\\f\\u0041\\ud83d\\ude48\\u0000\"]'", "white space": "' \t\n[ 1 , 2 ] '", "nothing else": "'nul'",
};

const paths = ["$", "$.a", "$.b", "$.b[0]", "$.b[1].c", "$[0]", "$[#-1]", "$[#]", "$[9]", "$.\"d e\"", "$.\"\"", "$.a.x", "$[1][0]", "$.e", "$[#-9]"];
const badPaths = ["", "a", ".", "$.", "$[", "$[]", "$[x]", "$[-1]", "$..a", "$.a[", "$a", "$[#-]", "$[#+1]", "$.\"a", "$ .a", "$[1.5]", "$.*", "$[0]x", "é", "$.é"];

const whole = [
  "json(?)", "jsonb(?) IS NULL", "json(jsonb(?))", "hex(jsonb(?))", "json_valid(?)", "json_valid(?, 1)", "json_valid(?, 2)", "json_valid(?, 4)", "json_valid(?, 6)", "json_valid(?, 8)", "json_valid(?, 16)", "json_type(?)", "json_array_length(?)", "json_quote(?)", "json_array(?, 1)", "json_object('k', ?)", "json_array(json(?))", "json_extract(?, '$')", "json_patch(?, '{\"a\":null,\"z\":9}')", "json_patch('{\"a\":1}', ?)",
  "json_group_array(?)", "json_group_object('k', ?)", "typeof(json_extract(?, '$'))", "? -> '$'", "? ->> '$'", "json_remove(?)", "json_set(?)", "length(json(?))",
];

const calls = [
  "json_extract(?, P)", "typeof(json_extract(?, P))", "json(jsonb_extract(?, P))", "? -> P", "? ->> P", "json_type(?, P)", "json_array_length(?, P)", "json_remove(?, P)", "json_set(?, P, 'new')", "json_set(?, P, json('[9]'))", "json_insert(?, P, 9)", "json_replace(?, P, NULL)", "json(jsonb_set(?, P, 1.5))", "json(jsonb_remove(?, P))", "json_extract(?, P, '$.a')", "json_set(?, P, x'00')",
];

export function jsonCases() {
  const names = Object.entries(documents);
  return [
    ...whole.map((call) => one(call.replaceAll("?", "j"), names.map(([, doc]) => `SELECT ${call.replaceAll("?", doc)} AS v`))),
    ...pairs(calls, names.filter(([what]) => ["an object", "an array", "JSONB", "JSON5", "malformed", "SQL NULL", "an SQL integer"].includes(what))).map(([call, [what, doc]]) =>
      one(`${call.replaceAll("?", "j")} of ${what}`, [...paths, "a", "0", "-1"].map((p) => `SELECT ${call.replaceAll("?", doc).replaceAll("P", /^-?\d$/.test(p) ? p : `'${p}'`)} AS v`))),
    ...badPaths.map((p) => one(`path ${JSON.stringify(p)}`, calls.slice(0, 12).map((call) => `SELECT ${call.replaceAll("?", documents["an object"]).replaceAll("P", `'${p}'`)} AS v`), `SELECT * FROM json_each(${documents["an object"]}, '${p}')`)),
    ...names.map(([what, doc]) => one(`json_each and json_tree of ${what}`, ...["json_each", "json_tree", "jsonb_each", "jsonb_tree"].flatMap((f) => [`SELECT key, type, atom, id, parent, fullkey, path FROM ${f}(${doc})`, `SELECT key, ${f.startsWith("jsonb") ? "typeof(value)" : "value"} FROM ${f}(${doc}, '$.b')`]), `SELECT count(*), json FROM json_each(${doc})`)),
    one("json_each with odd arguments", "SELECT * FROM json_each()", "SELECT * FROM json_each", "SELECT * FROM json_each('[1]', NULL)", "SELECT * FROM json_each(NULL, '$')", "SELECT * FROM json_each('[1]', '$', 1)", "SELECT json, root, key FROM json_each('[1]', '$')", "SELECT rowid, * FROM json_each('[5,6]')", "SELECT * FROM json_each('[1,2]') WHERE id = 2", "INSERT INTO json_each VALUES (1)", "SELECT * FROM main.json_each('[1]')", "SELECT json_each('[1]')", "SELECT * FROM JSON_EACH('[1]') ORDER BY key DESC"),
    one("JSON with wrong arguments", ...["json()", "json(1, 2)", "json_array_length()", "json_extract()", "json_extract('{}')", "json_insert()", "json_insert('{}', '$.a')", "json_object('a')", "json_object(NULL, 1)", "json_object(1, 2)", "json_patch('{}')", "json_remove()", "json_set('{}', '$.a', 1, '$.b')", "json_type()", "json_type('1', '$', 1)", "json_valid('1', 0)", "json_valid('1', 17)", "json_valid('1', NULL)", "json_quote()", "json_quote(x'00')", "json_array(x'00')", "json_group_array()", "json_group_object('a')", "json_pretty('[1]')", "json_error_position('x')", "'{}' -> ", "'{}' ->> NULL", "'{}' -> x'00'", "'{\"1.5\":2}' -> 1.5", "'[1,2]' -> '1'", "'{\"a\":{\"b\":3}}' -> 'a' -> 'b'", "'{\"a.b\":3}' ->> 'a.b'", "'{\"$\":3}' ->> '$'", "'[5]' ->> '[0]'"].map((call) => `SELECT ${call} AS v`)),
    one("JSON aggregates", "CREATE TABLE t(k, v)", "INSERT INTO t VALUES ('a', 1), ('b', 'x'), ('c', NULL), (NULL, 2), ('a', 2.5), ('d', json('[1]'))", "SELECT json_group_array(v) FROM t", "SELECT json_group_object(k, v) FROM t", "SELECT json_group_object(k, v) FROM t WHERE k IS NOT NULL", "SELECT json_group_array(json(v)) FROM t WHERE k = 'd'", "SELECT json_group_array(v ORDER BY v DESC) FROM t", "SELECT json_group_array(DISTINCT k) FROM t", "SELECT json_group_array(v) FILTER (WHERE v > 1) FROM t", "SELECT k, json_group_array(v) FROM t GROUP BY k ORDER BY k", "SELECT json_group_array(v) OVER (ORDER BY k ROWS 1 PRECEDING) FROM t", "SELECT json_group_object(k, v) OVER (ORDER BY rowid) FROM t", "SELECT hex(jsonb_group_array(v)) FROM t", "SELECT json(jsonb_group_object(k, v)) FROM t WHERE k IS NOT NULL", "SELECT json_group_array(json_object('k', k, 'v', v)) FROM t", "SELECT json_group_array(v) FROM t WHERE 0", "SELECT json_group_object(k, v) FROM t WHERE 0", "INSERT INTO t VALUES ('z', x'00')", "SELECT json_group_array(v) FROM t"),
    one("JSON in columns, indexes and updates", "CREATE TABLE t(id INTEGER PRIMARY KEY, j TEXT CHECK (json_valid(j)), a GENERATED ALWAYS AS (j ->> '$.a') STORED)", "CREATE INDEX i ON t(json_extract(j, '$.b'))", "INSERT INTO t(j) VALUES ('{\"a\":1,\"b\":\"x\"}'), ('{\"a\":\"two\",\"b\":[1]}'), ('[]')", "INSERT INTO t(j) VALUES ('{bad')", "SELECT id, a, typeof(a) FROM t", "SELECT id FROM t WHERE json_extract(j, '$.b') = 'x'", "UPDATE t SET j = json_set(j, '$.a', 5) RETURNING j, a", "UPDATE t SET j = json_insert(j, '$.c', json('{\"n\":[1,2]}')) WHERE id = 1", "SELECT j -> '$.c.n[1]' FROM t WHERE id = 1", "SELECT t.id, e.value FROM t, json_each(t.j) AS e ORDER BY 1, e.id", "SELECT t.id, e.fullkey FROM t, json_tree(t.j) AS e WHERE e.atom IS NOT NULL ORDER BY 1, e.id", "UPDATE t SET j = 'x'", "DELETE FROM t WHERE json_array_length(j) = 0", "SELECT count(*) FROM t"),
  ];
}
