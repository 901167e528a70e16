// What the families of cases are made with.

// one is a case of statements without parameters.
export const one = (name, ...sqls) => ({ name, requests: sqls.flat().map((sql) => ({ sql })) });

// numbered makes a case of each list of statements, named by its place.
export const numbered = (name, lists) => lists.map((sqls, i) => one(`${name} ${i + 1}`, ...[sqls].flat()));

export const range = (n) => Array.from({ length: n }, (_, i) => i + 1);
export const around = (n) => [n - 1, n, n + 1];

// pairs is every pair of two lists.
export const pairs = (a, b) => a.flatMap((x) => b.map((y) => [x, y]));

// Every kind of value JSON can carry to a statement.
export const kinds = [
  1, 0, -7, 1.5, -0.5, 1e-7, 100, 4294967296, 9007199254740991, 9007199254740993,
  9223372036854775807, 1e21, -1e300, true, false, null,
  "", "text", "1", "1.0", "01", " 1 ", "1e2", "-5abc", "é🙈", "a\u0000b", "it's",
  [], [49], [1, 2, 255], [0, 0], [195, 40],
];
