// The Worker inside the oracle. env.D1 is the service behind a D1 binding: it
// takes one query or a list of them and answers with rows, columns and meta
// from a single execution.

const databaseHeader = "MF-Namespace";

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (request.method === "POST" && pathname === "/run") {
        return Response.json(await run(env, await request.json()));
      }
      if (request.method === "POST" && pathname === "/query") {
        return await send(env, searchParams.get("database") ?? "persistent", await request.text());
      }
    } catch (error) {
      return Response.json({ error: String(error?.message ?? error) }, { status: 400 });
    }
    return new Response("not found\n", { status: 404 });
  },
};

// run answers the requests one after another on a database nobody has used.
// Where the runtime itself breaks, on a statement that ends its transaction
// for instance, the database is lost: that request and those after are marked.
async function run(env, { requests }) {
  const database = crypto.randomUUID();
  const answers = [];
  let broken = false;
  for (const { batch, sql, params } of requests) {
    const queries = batch ? batch.map(query) : query({ sql, params });
    let reply = { broken: true };
    if (!broken) reply = await ask(env, database, JSON.stringify(queries));
    answers.push(reply);
    broken = reply.broken === true;
  }
  return { answers };
}

async function ask(env, database, body) {
  try {
    return await answer(await send(env, database, body));
  } catch (error) {
    const text = String(error?.message ?? error);
    return text.startsWith("internal error") ? { broken: true } : { error: text, broken: true };
  }
}

// query does to the params what a D1 binding does: a boolean goes as 1 or 0.
function query({ sql, params }) {
  return { sql, params: params?.map((p) => (typeof p === "boolean" ? Number(p) : p)) };
}

function send(env, database, body) {
  return env.D1.fetch("http://d1/query?resultsFormat=ROWS_AND_COLUMNS", {
    method: "POST",
    headers: { "Content-Type": "application/json", [databaseHeader]: database },
    body,
  });
}

async function answer(response) {
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return { error: text };
  }
  if (Array.isArray(body)) {
    return { results: body.map(({ results, meta }) => ({ ...results, meta })) };
  }
  if (body.error?.startsWith("internal error")) return { broken: true };
  return { error: body.error ?? text };
}
