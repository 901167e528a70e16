// What Go asks of a KV namespace. Keys come as bytes, since a decoder takes a byte order
// mark away otherwise.
const textOf = new TextDecoder("utf-8", { ignoreBOM: true });
const bytesOf = new TextEncoder();

// isKV tells whether a binding is a KV namespace.
export function isKV(binding) {
  return typeof binding?.getWithMetadata === "function" && typeof binding?.list === "function";
}

// entry is a value and its metadata as JSON, or null.
async function entry(namespace, key) {
  const { value, metadata } = await namespace.getWithMetadata(key, "arrayBuffer");
  return value === null ? null : { value: new Uint8Array(value), metadata: json(metadata) };
}

function json(metadata) {
  return metadata === null || metadata === undefined ? "" : JSON.stringify(metadata);
}

// entries reads many keys at once. KV gives them as texts, so a text that may not be the
// bytes that were stored is read again; and so is a key that the runtime leaves out, as it
// does with "1", which looks like the index of an array, and with "__proto__".
async function entries(namespace, keys) {
  const names = keys.map((key) => textOf.decode(key));
  const found = await namespace.getWithMetadata([...new Set(names)], "text");
  return Promise.all(
    names.map((name) => {
      if (!found.has(name)) return entry(namespace, name);
      const { value, metadata } = found.get(name) ?? {};
      if (value === null || value === undefined) return null;
      if (value.includes("\ufffd")) return entry(namespace, name);
      return { value: bytesOf.encode(value), metadata: json(metadata) };
    }),
  );
}

export const operations = {
  kvGet: (_, namespace, key) => entry(namespace, textOf.decode(key)),
  kvGetMany: (_, namespace, ...keys) => entries(namespace, keys),
  kvPut(_, namespace, key, value, ttl, expiration, metadata) {
    const options = {};
    if (ttl > 0) options.expirationTtl = ttl;
    if (expiration > 0) options.expiration = expiration;
    if (metadata.length > 0) options.metadata = JSON.parse(textOf.decode(metadata));
    return namespace.put(textOf.decode(key), value, options);
  },
  kvDelete: (_, namespace, key) => namespace.delete(textOf.decode(key)),
  async kvList(_, namespace, prefix, limit, cursor) {
    const options = { prefix: textOf.decode(prefix) };
    if (limit > 0) options.limit = limit;
    if (cursor !== "") options.cursor = cursor;
    const { keys, list_complete, cursor: next } = await namespace.list(options);
    return bytesOf.encode(JSON.stringify({ keys, list_complete, cursor: next }));
  },
};
