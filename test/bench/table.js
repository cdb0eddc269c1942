// The figures as people read them.
import { median } from "./rounds.js";
import { measures, valuesOf } from "./rows.js";

/**
 * @param {readonly import("./rows.js").Row[]} rows
 * @returns {string} a table in Markdown
 */
export function table(rows) {
  const head = [
    "workload",
    "measure",
    "exhibit",
    "floor",
    "x floor",
    "peer",
    "x peer",
    "goal",
    "met",
  ];
  return markdown([
    head,
    ...rows.map((row, index) => [
      row.workload === rows[index - 1]?.workload ? "" : row.workload,
      row.measure,
      figure(row.value),
      named(row.floor, row.floorName),
      figure(row.toFloor),
      named(row.peer, row.peerName),
      figure(row.toPeer),
      row.goal ?? "",
      row.goal === null ? "" : row.met === null ? "not measured" : row.met ? "yes" : "NO",
    ]),
  ]);
}

/**
 * What each candidate took, medians.
 *
 * @param {readonly { workload: string, samples: import("./rows.js").Samples }[]} all
 * @returns {string} a table in Markdown
 */
export function candidatesTable(all) {
  return markdown([
    ["workload", "who", "rounds", ...measures.map(([measure]) => measure)],
    ...all.flatMap(({ workload, samples }) =>
      [...samples.keys()].map((name, index) => [
        index === 0 ? workload : "",
        name,
        String(samples.get(name)?.length ?? 0),
        ...measures.map(([, key]) => figure(median(valuesOf(samples, name, key)))),
      ]),
    ),
  ]);
}

/**
 * @param {number | null} value
 * @param {string | null} name
 */
function named(value, name) {
  return value === null ? "" : `${figure(value)} (${name ?? ""})`;
}

/** Three digits that count. @param {number | null} value */
function figure(value) {
  if (value === null || Number.isNaN(value)) return "";
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return String(Math.round(value));
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** @param {readonly (readonly string[])[]} lines */
function markdown(lines) {
  const [head = []] = lines;
  const widths = head.map((_, column) =>
    Math.max(3, ...lines.map((line) => (line[column] ?? "").length)),
  );
  const text = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [text[0], rule, ...text.slice(1)].join("\n");
}
