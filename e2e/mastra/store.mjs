// Mastra's D1Store in its REST mode. Each line of standard input is a JSON object that
// says on which database to do what: init, write or read. It is answered by a line with a
// JSON object.
//
// The package cloudflare, which D1Store uses, finds the server in CLOUDFLARE_BASE_URL.
import { createInterface } from "node:readline";
import { D1Store } from "@mastra/cloudflare-d1";

async function write(memory, { threads = [], messages = [], resources = [], update, remove, patch }) {
  for (const thread of threads) await memory.saveThread({ thread });
  if (messages.length) await memory.saveMessages({ messages });
  for (const resource of resources) await memory.saveResource({ resource });
  if (update) await memory.updateThread(update);
  if (patch) await memory.updateMessages({ messages: patch });
  if (remove) await memory.deleteMessages(remove);
  return {};
}

async function read(memory, wanted) {
  const answer = { threads: {}, messages: {}, resources: {} };
  for (const threadId of wanted.threads) {
    answer.threads[threadId] = await memory.getThreadById({ threadId });
    answer.messages[threadId] = await memory.listMessages({ threadId, perPage: false });
  }
  for (const resourceId of wanted.resources) answer.resources[resourceId] = await memory.getResourceById({ resourceId });
  answer.listed = await memory.listThreads({ filter: { resourceId: wanted.resourceThreads }, perPage: 2 });
  answer.included = await memory.listMessages(wanted.include);
  return answer;
}

const actions = { init: () => ({}), write, read };
const dates = (key, value) =>
  (key === "createdAt" || key === "updatedAt") && typeof value === "string" ? new Date(value) : value;

for await (const line of createInterface({ input: process.stdin })) {
  const { database, action, input } = JSON.parse(line, dates);
  try {
    const store = new D1Store({
      id: "e2e",
      accountId: process.env.CLOUDFLARE_ACCOUNT_ID,
      apiToken: process.env.CLOUDFLARE_API_TOKEN,
      databaseId: database,
      tablePrefix: "app_",
    });
    await store.init();
    console.log(JSON.stringify({ answer: await actions[action](await store.getStore("memory"), input) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.stack ?? error) }));
  }
}
