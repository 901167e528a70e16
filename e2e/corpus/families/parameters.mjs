// Every kind of parameter through every operator and function.
import { kinds } from "./shared.mjs";

const operators = [
  "?", "typeof(?)", "-?", "+?", "NOT ?", "~?", "? + 0", "? - 1", "? * 2", "? / 2", "7 / ?", "7 % ?", "? % 4",
  "? & 3", "? | 8", "? << 2", "? >> 1", "? || ''", "'<' || ? || '>'", "? = 1", "? = '1'", "? == 1.0", "? <> 1",
  "? < 5", "? > '5'", "? <= x'31'", "? IS NULL", "? IS NOT NULL", "? IS 1", "? IS TRUE", "? IS NOT DISTINCT FROM 1",
  "? IN (1, '1', x'31')", "1 IN (?)", "? BETWEEN 1 AND 200", "? LIKE '1%'", "? GLOB '1*'", "'1' LIKE ?",
  "CAST(? AS INTEGER)", "CAST(? AS REAL)", "CAST(? AS TEXT)", "CAST(? AS BLOB)", "CAST(? AS NUMERIC)",
  "CASE ? WHEN 1 THEN 'one' WHEN '1' THEN 'text' WHEN x'31' THEN 'blob' ELSE 'other' END",
  "iif(?, 'yes', 'no')", "coalesce(?, 'x')", "nullif(?, 1)", "ifnull(?, 2)", "hex(?)", "quote(?)", "length(?)", "octet_length(?)",
  "abs(?)", "sign(?)", "round(?)", "round(?, 1)", "ceil(?)", "sqrt(?)", "min(?, 3)", "max(?, 'a')",
  "unicode(?)", "upper(?)", "trim(?)", "substr('abcdef', ?)", "substr(?, 2)", "instr(?, '1')", "replace(?, '1', 'x')",
  "printf('%d', ?)", "printf('%s', ?)", "printf('%.2f', ?)", "printf('%g|%e|%x|%q|%Q', ?1, ?1, ?1, ?1, ?1)",
  "json_array(?)", "json_quote(?)", "json_object('k', ?)", "json_valid(?)", "typeof(json(?))", "datetime(?)", "datetime(?, 'unixepoch')",
  "sum(?)", "count(?)", "avg(?)", "total(?)", "group_concat(?)", "json_group_array(?)",
  "? COLLATE NOCASE = 'TEXT'", "(?, 1) = (1, 1)", "EXISTS (SELECT 1 WHERE ?)", "(SELECT ?)",
];

export function parameters() {
  return operators.map((operator) => ({
    name: `SELECT ${operator}`,
    requests: kinds.map((kind) => ({ sql: `SELECT ${operator} AS v`, params: [kind] })),
  }));
}
