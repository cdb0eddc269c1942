import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";

const rows = readFileSync("docs/faults.md", "utf8")
  .split("\n")
  .map((line) => /^\| (\d+) +\| (.+?) +\| (.+?) +\| (.+?) +\|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, ordinal, fault = "", outcome = "", shown = ""]) => ({
    ordinal: Number(ordinal),
    fault,
    outcome,
    tests: [...shown.matchAll(/`([^`]+)` "([^"]+)"/g)].map(([, file = "", name = ""]) => ({
      file,
      name,
    })),
  }));

describe("the list of faults", () => {
  it("has a row for each of the 64 cases, in order", () => {
    expect(rows.map(({ ordinal }) => ordinal)).toEqual(
      Array.from({ length: 64 }, (_, at) => at + 1),
    );
  });

  it("says of few cases only that no test shows them", () => {
    const unshown = rows.filter(({ tests }) => tests.length === 0).map(({ ordinal }) => ordinal);
    expect(unshown).toEqual([22, 64]);
  });

  it.each(rows.flatMap(({ ordinal, tests }) => tests.map((test) => ({ ordinal, ...test }))))(
    "names a test of the suite in row $ordinal: $name",
    ({ file, name }) => {
      // Where a test is declared its name stands behind a bracket; a row of a table, behind a comma or on a line of its own.
      const text = readFileSync(path.join("test", file), "utf8");
      expect(text).toMatch(new RegExp(`(?:\\(|\\[)\\s*"${escaped(name)}"`));
    },
  );
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
