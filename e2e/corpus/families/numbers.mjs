// Numbers as they are written, computed, cast and printed, to their borders.
import { one, pairs } from "./shared.mjs";

const written = [
  "0", "-0", "0.0", "-0.0", "00012", "1.", ".5", "1e5", "1E+5", "1e-5", "1.5e3", "0x0", "0xff", "0XFF", "0x7fffffffffffffff", "0x8000000000000000",
  "0xffffffffffffffff", "0x10000000000000000", "-0x1", "0x", "0xg", "1_000", "1__000", "1_", "_1", "1_0.5_0", "0x1_f", "1e1_0",
  "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "- 9223372036854775808", "18446744073709551616",
  "1e18", "1e19", "1e308", "1.7976931348623157e308", "1.8e308", "1e309", "-1e309", "5e-324", "2e-324", "4.9406564584124654e-324", "2.2250738585072014e-308",
  "0.1 + 0.2", "1.0 / 3", "1e999 - 1e999", "0.0 / 0", "1 / 0", "1 % 0", "1.5 % 0", "9007199254740993", "9007199254740993.0", "123456789012345678",
  "1e15", "1e16", "1e17", "123456.789e3", "100000000000000000000", "1e21", "1e-7", "1e-6", "12345678.9", "3.14159265358979", "3.141592653589793238",
  "1.0", "1e0", "1e2", "1e20", "-1e-300", "4294967296", "2147483648", "-2147483649", "9007199254740992", "-9007199254740992", "1abc", "1e", "1e+", "1.2.3", "0b11", "0o17", "١",
];

const arithmetic = [
  "9223372036854775807 + 1", "-9223372036854775808 - 1", "9223372036854775807 * 2", "-9223372036854775808 * -1", "-9223372036854775808 / -1",
  "-9223372036854775808 % -1", "- -9223372036854775808", "abs(-9223372036854775807)", "9223372036854775807 + 0.0", "4611686018427387904 * 2",
  "4611686018427387904 + 4611686018427387904", "3037000500 * 3037000500", "3037000499 * 3037000499", "7 / 2", "-7 / 2", "7 % -3", "-7 % 3", "7.9 % 3", "7.5 / 2", "5 / 2.0",
  "1 << 62", "1 << 63", "1 << 64", "1 << -1", "-1 >> 63", "-1 >> 64", "-1 >> 1", "8 >> -2", "1 << 9223372036854775807", "~0", "~9223372036854775807", "~'5'", "5 & 3.9", "5 | '2'",
  "1e308 * 10", "-1e308 * 10", "1e308 * 10 - 1e308 * 10", "1e-320 / 10", "-'5'", "+'5'", "-'abc'", "'5' + '6'", "'5.5' + 1", "'5abc' * 2", "'0x10' + 0", "'  7  ' + 0", "'1e2' + 0",
  "x'35' + 1", "NULL + 1", "NULL * 0", "TRUE + TRUE", "9223372036854775807 = 9223372036854775807.0", "9007199254740993 = 9007199254740992.0", "9223372036854775807 < 9.3e18",
  "1 = 1.0", "0.0 = -0.0", "1e999 = 1e999", "1e999 > 9223372036854775807", "-1e999 < -9223372036854775808", "(1e999 - 1e999) IS NULL", "sum(9223372036854775807) + 1",
];

const castFrom = [
  "NULL", "0", "1", "-1", "1.9", "-1.9", "1e19", "-1e19", "1e999", "9223372036854775807", "9.3e18", "''", "'abc'", "'12abc'", "' 12 '", "'+5'", "'-'", "'1e3'", "'1.5e1x'",
  "'.5'", "'5.'", "'0x1F'", "'9223372036854775808'", "'-9223372036854775809'", "'99999999999999999999'", "'1.0'", "'1.10'", "'Infinity'", "'nan'", "'1_000'", "'é'", "x''", "x'31'", "x'312e35'",
  "x'ff'", "x'00'", "x'3100'", "TRUE", "char(0x661)", "'\t3'", "char(160, 51)",
];
const castTo = ["INTEGER", "INT8", "REAL", "DOUBLE PRECISION", "TEXT", "VARCHAR(1)", "BLOB", "NUMERIC", "DECIMAL(3,1)", "BOOLEAN", "ANY", "XYZ", "NONE"];

const conversions = ["d", "i", "u", "s", "f", "e", "E", "g", "G", "x", "X", "o", "c", "q", "Q", "w", "z", "n", "p", "a", "b", "%"];
const flags = ["", "-", "+", " ", "0", "#", ",", "!", "8", "-8", "08", ".3", "8.3", "-8.3", "+8.3", "*", ".*", "l", "ll", "h", "$", "+ 08", "!.15", ",15", ".0", "#.0", "'", "1$"];
const printed = ["1", "-42", "1234567", "3.14159", "-2.5", "1e20", "'text'", "NULL", "x'4142'", "'12abc'", "9223372036854775807", "1e999"];

export function numberCases() {
  return [
    ...written.map((n) => one(`written ${n}`, `SELECT ${n} AS v`, `SELECT ${n} AS v, typeof(${n}), quote(${n}), CAST(${n} AS TEXT), hex(${n})`, `SELECT '${n}' + 0, CAST('${n}' AS NUMERIC), typeof(CAST('${n}' AS NUMERIC)), json_valid('${n}'), '${n}' = ${n}`)),
    ...arithmetic.map((e) => one(`computed ${e}`, `SELECT ${e} AS v`, `SELECT typeof(${e}), quote(${e})`)),
    ...castTo.map((type) => one(`cast to ${type}`, ...castFrom.map((from) => `SELECT CAST(${from} AS ${type}) AS v, typeof(CAST(${from} AS ${type})), quote(CAST(${from} AS ${type}))`))),
    ...conversions.map((c) => one(`printf %${c}`, ...flags.map((flag) => `SELECT ${printed.map((v) => `printf('<%${flag}${c}>', ${flag.includes("*") ? "9, " : ""}${v})`).join(", ")}`))),
    one("printf with too few and too many values", "SELECT printf('%d %s %f'), printf('%s'), printf('%d', 1, 2), printf('%*d', 5), printf('%.*f', 2), printf('%'), printf('%5'), printf('')"),
    one("printf widths from values", ...["-5", "0", "12", "NULL", "'3'", "2.9", "-2147483648", "99"].map((w) => `SELECT printf('<%*d>', ${w}, 7), printf('<%.*f>', ${w}, 7.125), printf('<%*s>', ${w}, 'ab'), printf('<%.*s>', ${w}, 'abcdef')`)),
    ...["round", "ceil", "floor", "trunc", "abs", "sign", "sqrt", "exp", "ln", "log10", "log2", "sin", "radians", "degrees"].map((f) =>
      one(`${f} of borders`, `SELECT ${["0", "-0.0", "0.5", "-0.5", "1.5", "2.5", "9223372036854775807", "-9223372036854775807", "1e18", "1e300", "-1e300", "5e-324", "1e999", "-1e999", "'1'", "'x'", "x'31'", "NULL", "''"]
        .map((v) => `${f}(${v})`).join(", ")}`)),
    ...pairs(["round(2.567, ?)", "round(-1234.5678, ?)", "round(1e15, ?)", "round(0.5, ?)"], [[-5, -1, 0, 1, 2, 15, 16, 30, 31, 100, "2", null, 1.9]]).map(([e, places]) => ({
      name: `${e.replace("?", "n")} for places`, requests: places.map((p) => ({ sql: `SELECT ${e} AS v`, params: [p] })),
    })),
    ...["mod", "pow", "atan2", "log"].map((f) => one(`${f} of two borders`, `SELECT ${pairs(["0", "1", "-1", "2.5", "1e999", "NULL", "'x'"], ["0", "1", "-1", "0.5", "1e999"]).map(([a, b]) => `${f}(${a}, ${b})`).join(", ")}`)),
    ...["sum", "total", "avg", "min", "max", "count"].map((f) => one(`${f} of mixed columns`,
      `SELECT ${f}(v) FROM (SELECT 1 AS v UNION ALL SELECT '2' UNION ALL SELECT 3.5 UNION ALL SELECT NULL)`, `SELECT ${f}(v) FROM (SELECT 'x' AS v UNION ALL SELECT x'31' UNION ALL SELECT '')`,
      `SELECT ${f}(v) FROM (SELECT 9223372036854775807 AS v UNION ALL SELECT 1.0)`, `SELECT ${f}(v) FROM (SELECT 9223372036854775807 AS v UNION ALL SELECT -1 UNION ALL SELECT 1)`,
      `SELECT ${f}(v) FROM (SELECT 9223372036854775807 AS v UNION ALL SELECT 9223372036854775807)`, `SELECT ${f}(v) FROM (SELECT 9e999 AS v UNION ALL SELECT -9e999)`,
      `SELECT ${f}(DISTINCT v) FROM (SELECT 1 AS v UNION ALL SELECT 1.0 UNION ALL SELECT '1')`, `SELECT ${f}(v), typeof(${f}(v)) FROM (SELECT 1 AS v WHERE 0)`,
      `SELECT ${f}(v) FROM (SELECT 1e100 AS v UNION ALL SELECT 1.0 UNION ALL SELECT -1e100)`)),
  ];
}
