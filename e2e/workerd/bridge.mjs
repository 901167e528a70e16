// Serves the bridge's Worker until its stdin closes: node bridge.mjs [TOKEN]. It prints
// {"url":…} when it is ready. The Worker has the D1 databases DB0, DB1… and a KV
// namespace KV.
import { readFileSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { compatibilityDate } from "./workerd.mjs";

const token = process.argv[2];
const source = (path) => ({
  type: "ESModule", path, contents: readFileSync(new URL(`../../internal/edgejs/${path}`, import.meta.url), "utf8"),
});
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: "bridge",
    modules: [source("bridge.mjs"), source("d1.mjs")],
    compatibilityDate,
    host: "127.0.0.1",
    port: 0,
    cf: false,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    d1Databases: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`DB${i}`, `db-${i}`])),
    kvNamespaces: { KV: "kv" },
    bindings: { MAX_BODY_BYTES: 16_000_000, ...(token && { BRIDGE_TOKEN: token }) },
  }),
);
await miniflare.ready;
const url = (await miniflare.unsafeGetDirectURL("bridge")).origin;
process.stdout.write(JSON.stringify({ url }) + "\n");
process.stdin.resume();
process.stdin.on("end", async () => {
  await miniflare.dispose();
  process.exit(0);
});
