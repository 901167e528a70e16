// Serves a Go Worker until its stdin closes: node serve.mjs app.wasm. It prints
// {"url":…} when it is ready. A line on stdin is answered with the memory that workerd
// uses, in KiB. The Worker has a D1 database DB with a table notes, a KV namespace KV and
// a variable TEXT.
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { workerd } from "./workerd.mjs";

const entry = `
import "./wasm_exec.js";
import module from "./app.wasm";
import { serve } from "./runtime.mjs";
export default serve(module);
`;
const worker = await workerd({
  wasm: process.argv[2], entry, d1Databases: { DB: "db" }, kvNamespaces: { KV: "kv" }, bindings: { TEXT: "a text" },
});
const db = await worker.miniflare.getD1Database("DB");
await db.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
process.stdout.write(JSON.stringify({ url: worker.url }) + "\n");
for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(memory() + "\n");
await worker.stop();
process.exit(0);

function memory() {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      if (!status.startsWith("Name:\tworkerd\n") || !status.includes(`\nPPid:\t${process.pid}\n`)) continue;
      return Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
    } catch {}
  }
  return 0;
}
