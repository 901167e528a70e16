// A KV namespace of miniflare behind HTTP, for measuring: GET and PUT /KEY, and GET /
// with limit and prefix for a list.
//
// Usage: node kv_http.mjs
//
// It prints {"url":…} on stdout when ready, listens on 127.0.0.1 only, and stops on
// SIGTERM, on SIGINT, and when its stdin closes.
import { Miniflare, convertV4MiniflareOptions } from "miniflare";

const worker = `
export default {
  async fetch(request, { KV }) {
    const { pathname, searchParams } = new URL(request.url);
    const key = decodeURIComponent(pathname.slice(1));
    if (key === "") {
      return Response.json(await KV.list({ limit: Number(searchParams.get("limit")), prefix: searchParams.get("prefix") }));
    }
    if (request.method === "PUT") {
      await KV.put(key, await request.arrayBuffer());
      return new Response("{}");
    }
    const value = await KV.get(key, "stream");
    return value === null ? new Response("not found", { status: 404 }) : new Response(value);
  },
};`;

const runtime = new Miniflare(
  convertV4MiniflareOptions({
    name: "kv",
    modules: true,
    script: worker,
    compatibilityDate: "2026-01-01",
    kvNamespaces: ["KV"],
    host: "127.0.0.1",
    port: 0,
    cf: false,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  }),
);
await runtime.ready;
const url = (await runtime.unsafeGetDirectURL("kv")).origin;
let stopping = false;
const stop = async () => {
  if (stopping) return;
  stopping = true;
  await runtime.dispose();
  process.exit(0);
};
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
process.stdin.on("end", stop).on("close", stop).on("error", stop).resume();
process.stdout.write(JSON.stringify({ url }) + "\n");
