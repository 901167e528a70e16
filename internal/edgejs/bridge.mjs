// The bridge: a Worker that lets a program elsewhere use the D1 databases bound to it,
// with their sessions, over HTTPS.
//
//	POST /bridge/NAME?bookmark=…     NAME is a binding's, such as DB
//	Authorization: Bearer TOKEN      the Worker's secret BRIDGE_TOKEN
//
//	[{"sql":"SELECT ?","params":["a"]},…]
//
// The statements run as one transaction. The answer is D1's own, one result for each
// statement with its columns, rows and meta, and the header X-D1-Bookmark. Errors have
// the form of Cloudflare's API.
import { query, isD1, bookmarkHeader } from "./d1.mjs";

// A token that is shorter can be guessed.
const shortestToken = 16;

// What a body may have at most, unless the variable MAX_BODY_BYTES says otherwise. A blob
// takes up to four bytes for each of its own.
const mostBytes = 32 * 1024 * 1024;

export default {
  async fetch(request, env) {
    const refusal = await refuse(request, env);
    if (refusal) return refusal;
    const url = new URL(request.url);
    const match = /^\/bridge\/([^/]+)\/?$/.exec(url.pathname);
    if (!match) return failure(404, 7003, "there is nothing here; the bridge is at /bridge/NAME");
    if (request.method !== "POST") return failure(405, 7001, "the bridge takes POST");
    const name = decodeURIComponent(match[1]);
    const db = Object.hasOwn(env, name) ? env[name] : undefined;
    if (!isD1(db)) return failure(404, 7404, `the bridge has no D1 binding ${JSON.stringify(name)}`);
    const bookmark = url.searchParams.get("bookmark") ?? "";
    if (!/^[!-~]{0,128}$/.test(bookmark)) return failure(400, 7400, "malformed bookmark");
    const body = await readAll(request, Number(env.MAX_BODY_BYTES) || mostBytes);
    if (body === null) return failure(413, 7400, "the body is too large");
    const response = await query(db, bookmark, body);
    if (response.ok) return response;
    const { error } = await response.json();
    return failure(response.status, 7500, error);
  },
};

// refuse answers whoever has not the token; and everybody, if there is none.
async function refuse(request, env) {
  const token = env.BRIDGE_TOKEN;
  if (typeof token !== "string" || token.length < shortestToken) {
    return failure(503, 10000, "the bridge has no token; set the secret BRIDGE_TOKEN to one of 16 characters or more");
  }
  const given = /^Bearer +(.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const [a, b] = await Promise.all([given, token].map(digest));
  return crypto.subtle.timingSafeEqual(a, b) ? null : failure(401, 10000, "Authentication error");
}

// digest makes texts equally long, so that comparing them tells nothing of their length.
function digest(text) {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

// readAll returns the body, or null if it is larger than it may be.
async function readAll(request, most) {
  if (Number(request.headers.get("content-length")) > most) return null;
  const pieces = [];
  let size = 0;
  for await (const piece of request.body ?? []) {
    size += piece.byteLength;
    if (size > most) return null;
    pieces.push(piece);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function failure(status, code, message) {
  return Response.json({ result: null, success: false, errors: [{ code, message }], messages: [] }, { status });
}
