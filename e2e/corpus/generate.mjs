// Writes the families of cases that are products of lists: every kind of
// parameter through every operator, every function, every pragma, and so on.
// Usage: npm run generate. It writes the files named generated-*.json.
import { writeFile } from "node:fs/promises";
import { formatCases } from "./format.mjs";
import { affinity } from "./families/affinity.mjs";
import { conflicts } from "./families/conflicts.mjs";
import { functionCases } from "./families/functions.mjs";
import { limits } from "./families/limits.mjs";
import { operatorCases } from "./families/operators.mjs";
import { numberCases } from "./families/numbers.mjs";
import { textCases } from "./families/texts.mjs";
import { placeCases } from "./families/places.mjs";
import { spellingCases } from "./families/spellings.mjs";
import { constraintCases } from "./families/constraints.mjs";
import { jsonCases } from "./families/json.mjs";
import { dateCases } from "./families/dates.mjs";
import { windowCases } from "./families/windows.mjs";
import { searchCases } from "./families/search.mjs";
import { parameters } from "./families/parameters.mjs";
import { pragmas } from "./families/pragmas.mjs";
import { statements } from "./families/statements.mjs";

const families = {
  affinity,
  conflicts,
  functions: functionCases,
  limits,
  operators: operatorCases,
  numbers: numberCases,
  texts: textCases,
  places: placeCases,
  spellings: spellingCases,
  constraints: constraintCases,
  json: jsonCases,
  dates: dateCases,
  windows: windowCases,
  search: searchCases,
  parameters,
  pragmas,
  statements,
};
for (const [name, cases] of Object.entries(families)) {
  await writeFile(new URL(`generated-${name}.json`, import.meta.url), formatCases(cases()));
}
