// Starts workerd, Cloudflare's runtime, with a Worker that is written in Go.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";

export const compatibilityDate = "2026-01-01";

const runtime = new URL("../../internal/edgejs/", import.meta.url);

export async function workerd({ wasm, entry, port = 0, ...bindings }) {
  const root = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  const text = (path, file) => ({ type: "ESModule", path, contents: readFileSync(file, "utf8") });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "go",
      modules: [
        { type: "ESModule", path: "entry.mjs", contents: entry },
        text("runtime.mjs", new URL("runtime.mjs", runtime)),
        text("d1.mjs", new URL("d1.mjs", runtime)),
        text("kv.mjs", new URL("kv.mjs", runtime)),
        text("wasm_exec.js", join(root, "lib/wasm/wasm_exec.js")),
        { type: "CompiledWasm", path: "app.wasm", contents: readFileSync(wasm) },
      ],
      compatibilityDate,
      host: "127.0.0.1",
      port: 0,
      cf: false,
      unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      ...bindings,
    }),
  );
  await miniflare.ready;
  const url = (await miniflare.unsafeGetDirectURL("go")).origin;
  return { url, miniflare, stop: () => miniflare.dispose() };
}
