// Runs statements on a D1 binding, and gives the answer as D1 itself gives it: columns
// in order, with duplicates, their rows and meta, all from one execution. The methods
// that are documented have each only a part of that.

export const bookmarkHeader = "x-d1-bookmark";

// isD1 tells whether a binding is a D1 database.
export function isD1(binding) {
  return typeof binding?.prepare === "function" && typeof binding?.withSession === "function";
}

// query runs the statements of a body, [{"sql":…,"params":[…]},…], as one transaction.
// The bookmark is one, or a constraint; none means first-primary. The Response has
// status 200 and the results, or another one and {"error":…}: 400 says that D1 has
// refused the statements, 502 that what has become of them is not known.
export async function query(db, bookmark, body) {
  let session;
  try {
    session = db.withSession(bookmark || "first-primary");
    if (typeof session._wrappedFetch !== "function") return await documented(session, body);
    const response = await session._wrappedFetch("http://d1/query?resultsFormat=ROWS_AND_COLUMNS", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    if (response.ok) return results(session, response.body);
    return failure(await reasonOf(response));
  } catch (error) {
    return failure({ error: textOf(error), status: 502 });
  }
}

// documented does it with the documented methods alone, in case the other one goes
// away. One statement that reads has no meta then; elsewhere columns of the same name
// are one, and a result without rows has no columns.
async function documented(session, body) {
  const statements = JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  const prepared = statements.map(({ sql, params }) => session.prepare(sql).bind(...params));
  try {
    if (prepared.length === 1 && /^\s*(select|values)\b/i.test(statements[0].sql)) {
      const [columns, ...rows] = await prepared[0].raw({ columnNames: true });
      return results(session, JSON.stringify([{ success: true, results: { columns, rows }, meta: {} }]));
    }
    const answers = (await session.batch(prepared)).map(({ results, meta }) => {
      const columns = Object.keys(results?.[0] ?? {});
      return { success: true, results: { columns, rows: (results ?? []).map(Object.values) }, meta };
    });
    return results(session, JSON.stringify(answers));
  } catch (error) {
    return failure({ error: textOf(error), status: error?.message?.startsWith("D1_ERROR") ? 400 : 502 });
  }
}

function results(session, body) {
  const headers = { "content-type": "application/json" };
  const bookmark = session.getBookmark();
  if (bookmark) headers[bookmarkHeader] = bookmark;
  return new Response(body, { headers });
}

// reasonOf reads D1's error. Anything but its own form is no word from D1.
async function reasonOf(response) {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text);
    if (typeof error === "string") return { error, status: 400 };
  } catch {}
  return { error: text || `D1 answered with status ${response.status}`, status: 502 };
}

function failure({ error, status }) {
  return Response.json({ error }, { status });
}

function textOf(error) {
  return String(error?.message ?? error).replace(/^D1_ERROR: /, "");
}
