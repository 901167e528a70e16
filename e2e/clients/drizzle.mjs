// drizzle-orm's D1 migrator against a server of the API, over a D1 binding made of its
// /raw and /query.
//
// Usage: node drizzle.mjs 0|1 DATABASE_ID FOLDER
//
// 0 is drizzle-orm 0.x with a journal, 1 is 1.x with a folder for each migration. It prints
// the writes that the migrator sent, one JSON array.
const [version, database, migrationsFolder] = process.argv.slice(2);
const api = `${process.env.CLOUDFLARE_API_BASE_URL}/accounts/${process.env.CLOUDFLARE_ACCOUNT_ID}/d1/database/${database}`;
const writes = [];

async function post(path, body) {
  const response = await fetch(`${api}/${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.CLOUDFLARE_API_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!answer.success) throw new Error("D1_ERROR: " + answer.errors.map((e) => e.message).join("; "));
  return answer.result;
}

class Statement {
  constructor(sql, params = []) {
    this.body = { sql, params };
    if (!/^\s*(SELECT|PRAGMA)/i.test(sql)) this.write = sql.trim();
  }
  bind(...params) {
    return new Statement(this.body.sql, params);
  }
  sent() {
    if (this.write) writes.push(this.write);
    return this.body;
  }
  async all() {
    return (await post("query", this.sent()))[0];
  }
  run() {
    return this.all();
  }
  async first(column) {
    const row = (await this.all()).results[0] ?? null;
    return column && row ? row[column] : row;
  }
  async raw() {
    return (await post("raw", this.sent()))[0].results.rows;
  }
}

const binding = {
  prepare: (sql) => new Statement(sql),
  batch: (statements) => post("query", { batch: statements.map((s) => s.sent()) }),
};

const orm = version === "0" ? "drizzle-orm" : "drizzle-orm-1";
const { drizzle } = await import(`${orm}/d1`);
const { migrate } = await import(`${orm}/d1/migrator`);
await migrate(drizzle(binding), { migrationsFolder });
process.stdout.write(JSON.stringify(writes) + "\n");
