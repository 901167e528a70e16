// Asks query() of d1.mjs on a D1 binding as the documentation has it, without the method
// that D1's own binding uses, and prints what it answers.
import { readFileSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { compatibilityDate } from "./workerd.mjs";

const script = `
import { query } from "./d1.mjs";
export default {
  async fetch(request, env) {
    const db = {
      withSession(start) {
        const session = env.DB.withSession(start);
        return {
          prepare: (sql) => session.prepare(sql),
          batch: (statements) => session.batch(statements),
          getBookmark: () => session.getBookmark(),
        };
      },
    };
    const answers = [];
    for (const statements of await request.json()) {
      const response = await query(db, "first-primary", new TextEncoder().encode(JSON.stringify(statements)));
      answers.push({ status: response.status, bookmark: response.headers.get("x-d1-bookmark"), body: await response.json() });
    }
    return Response.json(answers);
  },
};`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: "documented",
    modules: [
      { type: "ESModule", path: "main.mjs", contents: script },
      { type: "ESModule", path: "d1.mjs", contents: readFileSync(new URL("../../internal/edgejs/d1.mjs", import.meta.url), "utf8") },
    ],
    compatibilityDate,
    cf: false,
    host: "127.0.0.1",
    port: 0,
    d1Databases: { DB: "db" },
  }),
);
const one = (sql, ...params) => [{ sql, params }];
const response = await miniflare.dispatchFetch("http://documented/", {
  method: "POST",
  body: JSON.stringify([
    one("CREATE TABLE t (a, b)"),
    [...one("INSERT INTO t VALUES (?, ?)", "x", [1, 2]), ...one("SELECT * FROM t")],
    one("SELECT a, b, a FROM t"),
    [...one("INSERT INTO t VALUES (1, 1)"), ...one("SELECT nope FROM t")],
    one("SELECT count(*) AS n FROM t"),
  ]),
});
process.stdout.write(JSON.stringify(await response.json()));
await miniflare.dispose();
