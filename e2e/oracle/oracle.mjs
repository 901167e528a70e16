// The oracle: D1's engine, as workerd runs it, behind a small HTTP protocol.
// It answers what D1 answers, so that the corpus can be recorded from it and
// a local server compared with it. See ../corpus/README.md for the protocol.
//
// Usage: node oracle.mjs [--port N]
//
// It prints {"url":…,"workerd":…} on stdout when ready, listens on 127.0.0.1
// only, and stops on SIGTERM, on SIGINT, and when its stdin closes.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Miniflare, PLUGINS, convertV4MiniflareOptions } from "miniflare";

const require = createRequire(import.meta.url);

export const versions = {
  workerd: require("workerd/package.json").version,
  miniflare: require("miniflare/package.json").version,
};

// The binding a Worker usually gets hides the service which speaks D1's inner
// protocol, and gives columns and meta through different calls. Bind the
// service itself instead. Without fixed properties it takes the database's id
// from a request header, so that every case has a new database for nothing.
function bindEngine() {
  const original = PLUGINS.d1.getBindings;
  PLUGINS.d1.getBindings = async (...args) => {
    const bindings = await original.apply(PLUGINS.d1, args);
    return bindings?.map((binding) => {
      const service = binding.wrapped?.innerBindings?.[0]?.service;
      if (service === undefined) {
        throw new Error("this version of miniflare binds D1 in a way unknown here");
      }
      return { name: binding.name, service: { name: service.name } };
    });
  };
}

export async function start({ port = 0 } = {}) {
  bindEngine();
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      name: "oracle",
      modules: true,
      script: readFileSync(new URL("worker.mjs", import.meta.url), "utf8"),
      compatibilityDate: "2026-01-01",
      d1Databases: { D1: "oracle" },
      host: "127.0.0.1",
      port: 0,
      cf: false,
      unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    }),
  );
  await runtime.ready;
  const url = (await runtime.unsafeGetDirectURL("oracle")).origin;
  return { url, stop: () => runtime.dispose() };
}

async function main() {
  const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
  const oracle = await start({ port: Number(values.port) });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await oracle.stop();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdin.on("end", stop).on("close", stop).on("error", stop).resume();
  process.stdout.write(JSON.stringify({ url: oracle.url, ...versions }) + "\n");
}

if (import.meta.main) await main();
