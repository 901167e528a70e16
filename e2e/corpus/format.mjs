// How the files of the corpus are laid out: one case a line, or one request a
// line where a case is long, so that a change shows as the lines it touches.
const wide = 140;

export function formatCases(cases) {
  return `[\n${cases.map(formatCase).join(",\n")}\n]\n`;
}

function formatCase(entry) {
  const line = JSON.stringify(entry);
  if (line.length <= wide || !Array.isArray(entry.requests)) return line;
  const { requests, ...head } = entry;
  const start = JSON.stringify(head).slice(0, -1);
  const body = requests.map((request) => `  ${JSON.stringify(request)}`).join(",\n");
  return `${start},"requests":[\n${body}\n]}`;
}
