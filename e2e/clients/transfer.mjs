// What the npm package cloudflare makes of imports and exports, by its typed calls. It
// prints one JSON object.
import Cloudflare from "cloudflare";
import { createHash } from "node:crypto";

const account_id = process.env.CLOUDFLARE_ACCOUNT_ID;
const databases = new Cloudflare().d1.database;
const script = "CREATE TABLE t (id INTEGER PRIMARY KEY, v);\nINSERT INTO t VALUES (1, 'one;'), (2, NULL);\nCREATE INDEX i ON t (v);";
const etag = createHash("md5").update(script).digest("hex");

const { uuid } = await databases.create({ account_id, name: "shop" });
const announced = await databases.import(uuid, { account_id, action: "init", etag });
const upload = await fetch(announced.upload_url, { method: "PUT", body: script });
let imported = await databases.import(uuid, { account_id, action: "ingest", etag, filename: announced.filename });
while (imported.status === "active") {
  imported = await databases.import(uuid, { account_id, action: "poll", current_bookmark: imported.at_bookmark });
}
const late = await databases.import(uuid, { account_id, action: "poll", current_bookmark: imported.at_bookmark });
let exported = await databases.export(uuid, { account_id, output_format: "polling", dump_options: { tables: ["t"] } });
while (exported.status === "active") {
  exported = await databases.export(uuid, { account_id, output_format: "polling", current_bookmark: exported.at_bookmark });
}
const dump = await (await fetch(exported.result.signed_url)).text();
console.log(JSON.stringify({ upload: upload.status, etag: upload.headers.get("etag") === `"${etag}"`, imported, late, exported, dump }));
