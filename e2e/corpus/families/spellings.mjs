// Every pragma in every spelling, and as a table with every kind of argument.
import { one, range } from "./shared.mjs";
import { flags, named, otherPragmas } from "./pragmas.mjs";

const schema = [
  "CREATE TABLE p(id INTEGER PRIMARY KEY, code TEXT UNIQUE)",
  "CREATE TABLE t(a INT NOT NULL, b TEXT DEFAULT 'x', d REFERENCES p(id))",
  "CREATE INDEX i ON t(b)",
];

const spelled = (name) => [
  `PRAGMA "${name}"`, `PRAGMA '${name}'`, `PRAGMA [${name}]`, `PRAGMA \`${name}\``, `pragma ${name.toUpperCase()}`, `PRAGMA/**/${name}`, `PRAGMA ${name} -- trailing`, `PRAGMA main.${name}`, `PRAGMA "main".${name}`, `PRAGMA temp.${name}`,
  `PRAGMA nope.${name}`, `PRAGMA ${name}()`, `PRAGMA ${name} = ''`, `PRAGMA ${name}('')`, `PRAGMA ${name}(NULL)`, `PRAGMA ${name} = t`, `PRAGMA ${name}(-1)`, `PRAGMA ${name}(+1)`, `PRAGMA ${name} = 1.5`, `PRAGMA ${name} = x'31'`, `PRAGMA ${name}(ON)`, `PRAGMA ${name} = DELETE`, `PRAGMA ${name} = DEFAULT`, `PRAGMA ${name} 1`,
  `EXPLAIN PRAGMA ${name} = nope.t`, `PRAGMA ${name} = ?`,
];

const asTable = (name) => [
  `SELECT * FROM pragma_${name}(NULL)`, `SELECT * FROM pragma_${name}('')`, `SELECT * FROM pragma_${name}('t')`, `SELECT * FROM pragma_${name}('T')`, `SELECT * FROM pragma_${name}(1)`, `SELECT * FROM pragma_${name}('t', 'main')`, `SELECT * FROM pragma_${name}('t', 'temp')`, `SELECT * FROM pragma_${name}('t', NULL)`, `SELECT * FROM pragma_${name}('t', 'nope')`,
  `SELECT * FROM pragma_${name}('t', 'main', 1)`, `SELECT * FROM pragma_${name} WHERE arg = 't'`, `SELECT * FROM pragma_${name} WHERE schema = 'main'`, `SELECT * FROM pragma_${name} WHERE arg = 't' AND schema = 'main'`, `SELECT count(*) FROM main.pragma_${name}`, `SELECT count(*) FROM PRAGMA_${name.toUpperCase()}('t')`, `SELECT m.name, x.* FROM sqlite_schema AS m, pragma_${name}(m.name) AS x ORDER BY m.name`,
  `SELECT count(*) FROM sqlite_schema AS m LEFT JOIN pragma_${name}(m.name) AS x`, `INSERT INTO pragma_${name} VALUES (1)`, `CREATE VIEW w AS SELECT * FROM pragma_${name}('t')`, `SELECT count(*) FROM w`,
];

export function spellingCases() {
  const all = [...flags, ...named, "table_list", "data_version", "page_size", "optimize", ...otherPragmas];
  // A data_version counts the connections of others, and differs by itself.
  const steady = (sql) => !/^(pragma|PRAGMA).*data_version|FROM (main\.)?pragma_data_version|DATA_VERSION/i.test(sql) || /nope|temp|= |\(|EXPLAIN|INSERT|CREATE/.test(sql);
  const rows = range(3).map((n) => `INSERT INTO p(code) VALUES ('c${n}')`);
  return all.flatMap((name) => [
    one(`spelled ${name}`, ...schema, ...spelled(name).filter(steady)),
    name === "default_cache_size"
      ? one(`table pragma_${name}`, "SELECT * FROM pragma_default_cache_size", "SELECT * FROM pragma_default_cache_size('main')")
      : one(`table pragma_${name}`, ...schema, ...rows, ...asTable(name).filter(steady)),
  ]);
}
