// Mastra's D1Store in its REST mode, on the database of the first argument. The second
// says what to do: init, write (what standard input has, as JSON) or read (all of some
// threads and resources). It prints one JSON object.
//
// The package cloudflare, which it uses, finds the server in CLOUDFLARE_BASE_URL.
import { D1Store } from "@mastra/cloudflare-d1";

const [databaseId, action, tablePrefix = ""] = process.argv.slice(2);
const store = new D1Store({
  id: "e2e",
  accountId: process.env.CLOUDFLARE_ACCOUNT_ID,
  apiToken: process.env.CLOUDFLARE_API_TOKEN,
  databaseId,
  tablePrefix,
});

async function input() {
  let text = "";
  for await (const piece of process.stdin) text += piece;
  return JSON.parse(text, (key, value) =>
    (key === "createdAt" || key === "updatedAt") && typeof value === "string" ? new Date(value) : value,
  );
}

async function write(memory) {
  const { threads = [], messages = [], resources = [], update, remove, patch } = await input();
  for (const thread of threads) await memory.saveThread({ thread });
  if (messages.length) await memory.saveMessages({ messages });
  for (const resource of resources) await memory.saveResource({ resource });
  if (update) await memory.updateThread(update);
  if (patch) await memory.updateMessages({ messages: patch });
  if (remove) await memory.deleteMessages(remove);
  return {};
}

async function read(memory) {
  const wanted = await input();
  const answer = { threads: {}, messages: {}, resources: {} };
  for (const threadId of wanted.threads) {
    answer.threads[threadId] = await memory.getThreadById({ threadId });
    answer.messages[threadId] = await memory.listMessages({ threadId, perPage: false });
  }
  for (const resourceId of wanted.resources) answer.resources[resourceId] = await memory.getResourceById({ resourceId });
  if (wanted.resourceThreads) answer.listed = await memory.listThreads({ filter: { resourceId: wanted.resourceThreads }, perPage: 2 });
  if (wanted.include) answer.included = await memory.listMessages(wanted.include);
  return answer;
}

const memory = await store.getStore("memory");
await store.init();
const answer = action === "write" ? await write(memory) : action === "read" ? await read(memory) : {};
console.log(JSON.stringify(answer));
