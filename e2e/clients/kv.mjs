// What the npm package cloudflare makes of a server's KV: every call of a namespace's life,
// and the errors. It prints one JSON object, by the names of the steps. See cloudflare.mjs.
import Cloudflare from "cloudflare";

const account_id = process.env.CLOUDFLARE_ACCOUNT_ID;
const client = new Cloudflare();
const namespaces = client.kv.namespaces;

async function all(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

async function failure(call) {
  try {
    await call();
    return { class: "none" };
  } catch (error) {
    return {
      class: error.constructor.name,
      status: error.status,
      errors: error.errors?.map(({ code, message }) => ({ code, message })),
    };
  }
}

async function life() {
  const created = await namespaces.create({ account_id, title: "sessions" });
  const of = { account_id, namespace_id: created.id };
  for (let i = 0; i < 24; i++) await namespaces.create({ account_id, title: `more-${i}` });
  const listed = (await all(namespaces.list({ account_id, per_page: 10 }))).map(({ title }) => title);
  const renamed = await namespaces.update(created.id, { account_id, title: "renamed" });

  const key = "a/b?c#d % ключ";
  await namespaces.values.update(key, { ...of, value: "one", metadata: JSON.stringify({ n: 1 }), expiration_ttl: 3600 });
  const response = await namespaces.values.get(key, of);
  const value = { text: await response.text(), expires: Number(response.headers.get("expiration")) > 0 };
  const metadata = await namespaces.metadata.get(key, of);
  const pairs = Array.from({ length: 30 }, (_, i) => ({ key: `k${String(i).padStart(2, "0")}`, value: `v${i}` }));
  const put = await namespaces.bulkUpdate(created.id, {
    account_id,
    body: [...pairs, { key: "png", value: "iVBORw==", base64: true, metadata: [1, { a: null }] }],
  });
  const png = [...new Uint8Array(await (await namespaces.values.get("png", of)).arrayBuffer())];
  const keys = await all(namespaces.keys.list(created.id, { account_id, limit: 10 }));
  const many = await namespaces.bulkGet(created.id, { account_id, keys: ["k07", "missing"] });
  const withMetadata = await namespaces.bulkGet(created.id, { account_id, keys: [key], withMetadata: true });
  return {
    created,
    listed,
    renamed,
    value,
    metadata,
    put,
    png,
    keys: keys.map(({ name }) => name),
    pngMetadata: keys.find(({ name }) => name === "png").metadata,
    many: many.values,
    withMetadata: { ...withMetadata.values[key], expiration: withMetadata.values[key].expiration > 0 },
    removed: await namespaces.bulkDelete(created.id, { account_id, body: ["k00", "k01", "none"] }),
    left: (await all(namespaces.keys.list(created.id, { account_id, prefix: "k0" }))).length,
    failures: {
      key: await failure(() => namespaces.values.get("none", of)),
      metadata: await failure(() => namespaces.metadata.get("none", of)),
      namespace: await failure(() => namespaces.values.get("k", { account_id, namespace_id: "0".repeat(32) })),
      id: await failure(() => namespaces.values.get("k", { account_id, namespace_id: "x" })),
      title: await failure(() => namespaces.create({ account_id, title: "renamed" })),
      ttl: await failure(() => namespaces.values.update("k", { ...of, value: "v", expiration_ttl: 30 })),
      binary: await failure(() => namespaces.bulkUpdate(created.id, { account_id, body: [{ key: "b", value: "/w==", base64: true }] })
        .then(() => namespaces.bulkGet(created.id, { account_id, keys: ["b"] }))),
    },
    deleted: await namespaces.delete(created.id, { account_id }),
    gone: await failure(() => namespaces.get(created.id, { account_id })),
  };
}

console.log(JSON.stringify(await life()));
