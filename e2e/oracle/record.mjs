// Runs the corpus through the oracle and writes the answers to
// corpus/recorded. With --check it writes nothing and fails where an answer
// differs from the recorded one.
//
// Usage: node record.mjs [--check] [--every N] [NAME…]
//
// Names choose files of the corpus, without .json. --every N takes one case in N,
// to check a sample.
import { parseArgs } from "node:util";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { start, versions } from "./oracle.mjs";

const corpus = new URL("../corpus/", import.meta.url);
const recorded = new URL("recorded/", corpus);
const { values: options, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean" }, every: { type: "string", default: "1" } },
});
const every = Number(options.every);

// How many cases are under way: each has a database of its own.
const width = 4;

// The part of meta that is kept, as a list in this order: the rest tells the
// time, or where the answer came from.
const metaKeys = ["changes", "last_row_id", "changed_db", "size_after", "rows_read", "rows_written"];

// expand writes out {{TEXT*N}}, which is TEXT N times.
function expand(value) {
  if (typeof value === "string") {
    return value.replace(/\{\{([^{}]*)\*(\d+)\}\}/g, (_, text, n) => text.repeat(Number(n)));
  }
  if (Array.isArray(value)) return value.map(expand);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, expand(v)]));
}

async function run(url, requests) {
  const response = await fetch(`${url}/run`, {
    method: "POST",
    body: JSON.stringify({ requests }),
  });
  const { answers, error } = await response.json();
  if (error !== undefined) throw new Error(error);
  return answers.map(steady);
}

function steady(answer) {
  if (answer.results === undefined) return answer;
  return {
    results: answer.results.map(({ meta, ...result }) => ({
      ...result,
      meta: metaKeys.map((key) => meta[key]),
    })),
  };
}

// asService is the case as the REST service runs it: each statement of a
// request has its own result, which is what a batch gives.
function asService(requests) {
  return requests.map(({ statements, ...request }) =>
    statements ? { batch: statements.map((sql) => ({ sql })) } : request,
  );
}

async function record(url, entry) {
  const requests = entry.expand ? expand(entry.requests) : entry.requests;
  const answers = await run(url, requests);
  const line = { name: entry.name, answers };
  if (requests.some((request) => request.statements)) {
    line.service = await run(url, asService(requests));
  }
  return JSON.stringify(line);
}

async function recordFile(url, file) {
  const all = JSON.parse(await readFile(new URL(file, corpus), "utf8"));
  const names = new Set();
  for (const { name } of all) {
    if (names.has(name)) throw new Error(`${file}: two cases named ${name}`);
    names.add(name);
  }
  const cases = all.filter((_, i) => i % every === 0);
  const lines = new Array(cases.length);
  let next = 0;
  const work = async () => {
    while (next < cases.length) {
      const i = next++;
      lines[i] = await record(url, cases[i]);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return lines;
}

async function compare(file, lines) {
  const old = JSON.parse(await readFile(new URL(file, recorded), "utf8")).cases;
  const was = new Map(old.map((line) => [line.name, JSON.stringify(line)]));
  const now = new Map(lines.map((line) => [JSON.parse(line).name, line]));
  if (every > 1) for (const name of was.keys()) if (!now.has(name)) was.delete(name);
  let differences = 0;
  for (const name of new Set([...was.keys(), ...now.keys()])) {
    if (was.get(name) === now.get(name)) continue;
    differences++;
    console.error(`${file}: ${name}\n  recorded ${was.get(name)}\n  now      ${now.get(name)}`);
  }
  return differences;
}

function head() {
  return JSON.stringify({ workerd: versions.workerd, meta: metaKeys }).slice(0, -1);
}

async function main() {
  if (every > 1 && !options.check) throw new Error("--every is for --check");
  const wanted = (name) => name.endsWith(".json") && (chosen.length === 0 || chosen.includes(name.slice(0, -5)));
  const files = (await readdir(corpus)).filter(wanted).sort();
  await mkdir(recorded, { recursive: true });
  const oracle = await start();
  let count = 0;
  let differences = 0;
  try {
    for (const file of files) {
      const lines = await recordFile(oracle.url, file);
      count += lines.length;
      if (options.check) {
        differences += await compare(file, lines);
        continue;
      }
      const text = `${head()},"cases":[\n${lines.join(",\n")}\n]}\n`;
      await writeFile(new URL(file, recorded), text);
    }
  } finally {
    await oracle.stop();
  }
  console.log(`${count} cases in ${files.length} files${options.check ? `, ${differences} differ` : ""}`);
  process.exitCode = differences === 0 ? 0 : 1;
}

await main();
