// drizzle-orm over its HTTP proxy driver, whose callback posts each query to /raw and each
// batch to /raw too, as programs outside of Workers use it with D1.
//
// Usage: node drizzle_proxy.mjs DATABASE_ID
const [database] = process.argv.slice(2);
const url = `${process.env.CLOUDFLARE_API_BASE_URL}/accounts/${process.env.CLOUDFLARE_ACCOUNT_ID}/d1/database/${database}/raw`;

import { eq, desc, relations, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

const users = sqliteTable("users", {
  id: integer().primaryKey({ autoIncrement: true }),
  email: text().notNull().unique(),
  active: integer({ mode: "boolean" }).notNull().default(true),
  score: real(),
  born: integer({ mode: "timestamp_ms" }),
  settings: text({ mode: "json" }),
});
const posts = sqliteTable("posts", {
  id: integer().primaryKey(),
  author: integer().notNull().references(() => users.id, { onDelete: "cascade" }),
  title: text().notNull(),
});
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
const postsRelations = relations(posts, ({ one }) => ({ author: one(users, { fields: [posts.author], references: [users.id] }) }));

async function post(body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.CLOUDFLARE_API_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!answer.success) throw new Error(answer.errors.map((e) => e.message).join("; "));
  return answer.result.map((r) => r.results.rows);
}

const one = async (sql, params, method) => {
  const [rows] = await post({ sql, params });
  return { rows: method === "get" ? rows[0] : rows };
};
const many = async (queries) => (await post({ batch: queries.map(({ sql, params }) => ({ sql, params })) })).map((rows) => ({ rows }));
const db = drizzle(one, many, { schema: { users, posts, usersRelations, postsRelations } });

const out = {};
await db.run(sql`CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, active INTEGER NOT NULL DEFAULT 1,
  score REAL, born INTEGER, settings TEXT)`);
await db.run(sql`CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, title TEXT NOT NULL)`);
out.inserted = await db
  .insert(users)
  .values([
    { email: "ann@example.com", score: 1.5, born: new Date("2001-02-03T04:05:06.789Z"), settings: { theme: "dark", size: 2 } },
    { email: "bob@example.com", active: false },
  ])
  .returning();
await db.batch([
  db.insert(posts).values({ author: 1, title: "first" }),
  db.insert(posts).values({ author: 1, title: "second" }),
  db.insert(posts).values({ author: 2, title: "third" }),
]);
out.joined = await db
  .select({ title: posts.title, by: users.email })
  .from(posts)
  .innerJoin(users, eq(posts.author, users.id))
  .orderBy(desc(posts.id))
  .limit(2);
out.nested = await db.query.users.findFirst({ where: eq(users.id, 1), with: { posts: { columns: { title: true } } } });
out.upserted = await db
  .insert(users)
  .values({ email: "bob@example.com", score: 3 })
  .onConflictDoUpdate({ target: users.email, set: { score: sql`excluded.score` } })
  .returning({ id: users.id, score: users.score });
out.failed = await db.insert(users).values({ email: "ann@example.com" }).then(
  () => "nothing",
  (error) => String(error.cause?.message ?? error.message),
);
out.batchFailed = await db
  .batch([db.insert(posts).values({ author: 1, title: "lost" }), db.insert(posts).values({ author: 99, title: "nobody's" })])
  .then(
    () => "nothing",
    (error) => String(error.cause?.message ?? error.message),
  );
await db.delete(users).where(eq(users.id, 1));
out.left = await db.select({ title: posts.title }).from(posts);
out.none = (await db.query.users.findFirst({ where: eq(users.id, 1) })) ?? null;
process.stdout.write(JSON.stringify(out) + "\n");
