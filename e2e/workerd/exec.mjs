// Runs a Go program that was compiled for js/wasm inside workerd, to its end:
//
//	GOOS=js GOARCH=wasm go test -exec "node …/e2e/workerd/exec.mjs" ./d1/binding
//
// The Worker has many D1 databases, DB0, DB1…, and KV namespaces, KV0, KV1…, all new and
// empty, and a variable TEXT. The program's output is this one's, and so is its exit code.
import { workerd } from "./workerd.mjs";

const [wasm, ...argv] = process.argv.slice(2);

const entry = `
import "./wasm_exec.js";
import module from "./app.wasm";
import { runToEnd } from "./runtime.mjs";

export default {
  async fetch(request, env, ctx) {
    const { argv } = await request.json();
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    globalThis.fs.writeSync = (_, bytes) => {
      writer.write(bytes.slice());
      return bytes.length;
    };
    const end = runToEnd(module, env, ctx, { argv });
    ctx.waitUntil(end.then(async ({ code, reason }) => {
      await writer.write(new TextEncoder().encode("\\0" + JSON.stringify({ code, reason })));
      await writer.close();
    }));
    return new Response(readable, { headers: { "content-encoding": "identity" } });
  },
};
`;

const many = (name) => Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`${name}${i}`, `${name}-${i}`]));
const worker = await workerd({
  wasm, entry, d1Databases: many("DB"), kvNamespaces: { KV: "kv", ...many("KV") }, bindings: { TEXT: "a text" },
});
let code = 1;
try {
  const response = await fetch(worker.url, { method: "POST", body: JSON.stringify({ argv: ["test", ...argv] }) });
  let last = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const [text, end] = (last + piece).split("\0");
    process.stdout.write(text);
    last = end === undefined ? "" : "\0" + end;
  }
  const end = JSON.parse(last.slice(1));
  if (end.code !== 0) process.stderr.write(`${end.reason}\n`);
  code = end.code;
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
}
await worker.stop();
process.exit(code);
