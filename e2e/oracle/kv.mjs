// Runs sequences of operations on a KV namespace of miniflare, which stands in for Workers
// KV, and prints what each operation gave.
//
// Usage: node kv.mjs FILE
//
// The file holds a JSON array of sequences, each an array of operations; see
// ../kv_differential_test.go for their form. Each sequence finds the namespace empty.
import { readFileSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";

const worker = `
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const base64 = (buffer) => btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""));
const text = (value) => base64(new TextEncoder().encode(value));

const operations = {
  async put(kv, { key, value, ttl, after, metadata }, { now }) {
    const expiration = after === undefined ? undefined : now + after;
    await kv.put(key, bytes(value ?? ""), { expirationTtl: ttl, expiration, metadata });
    return {};
  },
  async get(kv, { key }) {
    const value = await kv.get(key, "arrayBuffer");
    return { value: value === null ? undefined : base64(value) };
  },
  async getWithMetadata(kv, { key }) {
    const { value, metadata } = await kv.getWithMetadata(key, "arrayBuffer");
    return value === null ? {} : { value: base64(value), metadata };
  },
  async many(kv, { keys }) {
    const entries = Object.create(null);
    for (const [key, value] of await kv.get(keys)) entries[key] = value === null ? null : { value: text(value) };
    return { entries };
  },
  async manyWithMetadata(kv, { keys }) {
    const entries = Object.create(null);
    for (const [key, entry] of await kv.getWithMetadata(keys)) {
      entries[key] = entry?.value == null ? null : { value: text(entry.value), metadata: entry.metadata };
    }
    return { entries };
  },
  async delete(kv, { key }) {
    await kv.delete(key);
    return {};
  },
  async list(kv, { prefix, limit, next }, state) {
    const { keys, list_complete: complete, cursor } = await kv.list({ prefix, limit, cursor: next ? state.cursor : undefined });
    state.cursor = cursor;
    return { keys, complete, cursor };
  },
};

async function empty(kv) {
  for (;;) {
    const { keys, list_complete } = await kv.list();
    await Promise.all(keys.map(({ name }) => kv.delete(name)));
    if (list_complete) return;
  }
}

export default {
  async fetch(request, env) {
    const answers = [];
    for (const sequence of await request.json()) {
      const state = {};
      const results = [];
      for (const operation of sequence) {
        state.now = Math.floor(Date.now() / 1000);
        let result;
        try {
          result = await operations[operation.op](env.KV, operation, state);
        } catch (error) {
          result = { error: error.message };
        }
        results.push({ now: state.now, ...result });
      }
      answers.push(results);
      await empty(env.KV);
    }
    return Response.json(answers);
  },
};
`;

const sequences = JSON.parse(readFileSync(process.argv[2], "utf8"));
const runtime = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: worker,
    compatibilityDate: "2026-01-01",
    kvNamespaces: ["KV"],
    host: "127.0.0.1",
    port: 0,
    cf: false,
  }),
);
try {
  const answers = [];
  for (let i = 0; i < sequences.length; i += 20) {
    const response = await runtime.dispatchFetch("http://kv/", { method: "POST", body: JSON.stringify(sequences.slice(i, i + 20)) });
    if (!response.ok) throw new Error(await response.text());
    answers.push(...(await response.json()));
  }
  process.stdout.write(JSON.stringify(answers) + "\n");
} finally {
  await runtime.dispose();
}
