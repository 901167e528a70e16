// What the npm package cloudflare makes of a server: every call of a database's life,
// and the errors. It prints one JSON object, by the names of the steps.
//
// The package finds the server and the token in CLOUDFLARE_BASE_URL and
// CLOUDFLARE_API_TOKEN.
import Cloudflare from "cloudflare";

const account_id = process.env.CLOUDFLARE_ACCOUNT_ID;
const client = new Cloudflare();
const databases = client.d1.database;
const nobody = "00000000-0000-4000-8000-000000000000";

// all reads a list to its end, however many pages that takes.
async function all(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

// failure returns what a program that catches the error sees. A call that is sent
// again would take its time: attempts are counted by the server.
async function failure(call) {
  try {
    await call();
    return { class: "none" };
  } catch (error) {
    return {
      class: error.constructor.name,
      status: error.status,
      errors: error.errors?.map(({ code, message }) => ({ code, message })),
    };
  }
}

async function life() {
  const created = await databases.create({ account_id, name: "shop", primary_location_hint: "enam" });
  for (let i = 0; i < 24; i++) await databases.create({ account_id, name: `more-${i}` });
  const id = created.uuid;
  const query = (body) => all(databases.query(id, { account_id, ...body }));

  const made = await query({ sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE INDEX i ON t (a)" });
  const batch = await query({
    batch: [
      { sql: "INSERT INTO t (a, b) VALUES (?, ?)", params: ["✓", [1, 2, 255]] },
      { sql: "SELECT typeof(?1) AS type, ?1 AS value", params: [1.5] },
    ],
  });
  return {
    created,
    listed: (await all(databases.list({ account_id, per_page: 10 }))).map(({ name }) => name),
    found: (await all(databases.list({ account_id, name: "shop" }))).map(({ uuid }) => uuid),
    updated: await databases.update(id, { account_id, read_replication: { mode: "auto" } }),
    edited: await databases.edit(id, { account_id, read_replication: { mode: "disabled" } }),
    made,
    batch,
    queried: await query({ sql: "SELECT * FROM t WHERE a = ?", params: ["✓"] }),
    raw: await all(databases.raw(id, { account_id, sql: "SELECT a, a, b, 1e21, 9007199254740993 AS big FROM t" })),
    got: await databases.get(id, { account_id }),
    failures: {
      sql: await failure(() => query({ sql: "SELECT * FROM nope" })),
      params: await failure(() => query({ sql: "SELECT 1; SELECT 2", params: ["x"] })),
      uuid: await failure(() => databases.query("shop", { account_id, sql: "SELECT 1" })),
      exists: await failure(() => databases.create({ account_id, name: "shop" })),
      unknown: await failure(() => databases.get(nobody, { account_id })),
      token: await failure(() => new Cloudflare({ apiToken: "another-token" }).d1.database.get(id, { account_id })),
    },
    deleted: await databases.delete(id, { account_id }),
    gone: await failure(() => databases.get(id, { account_id })),
  };
}

console.log(JSON.stringify(await life()));
