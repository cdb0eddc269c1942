import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";

const text = readFileSync("docs/security.md", "utf8");

interface Row {
  readonly cells: readonly string[];
  readonly section: string;
}

/** The rows of the tables below a heading, without their headings. */
function rowsOf(section: string): Row[] {
  const start = text.indexOf(`\n## ${section}`);
  const end = text.indexOf("\n## ", start + 4);
  const lines = text.slice(start, end === -1 ? undefined : end).split("\n");
  return lines
    .filter(
      (line, at) =>
        line.startsWith("|") && !/^\| *-/.test(line) && !/^\| *-/.test(lines[at + 1] ?? ""),
    )
    .map((line) => ({
      section,
      cells: line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    }));
}

describe("docs/security.md", () => {
  const named = [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, file = ""]) => file);

  it("names only tests that are there", () => {
    expect(named.length).toBeGreaterThan(100);
    expect([...new Set(named)].filter((file) => !existsSync(file))).toEqual([]);
  });

  it("names only tests that npm test runs, where it does not say otherwise", () => {
    const apart = named.filter((file) => file.startsWith("test/s3/") || file.includes("soak"));
    const lines = text.split("\n").filter((line) => apart.some((file) => line.includes(file)));
    for (const line of lines) expect(line).toMatch(/npm run test:s3/);
  });

  it.each([
    ["Threats", 35],
    ["OWASP ASVS", 120],
  ])("each row of %s has a test, a reason or a gap", (section, least) => {
    const rows = rowsOf(section);
    expect(rows.length).toBeGreaterThanOrEqual(least);
    for (const { cells } of rows) {
      expect(cells).toHaveLength(4);
      const [, , what, shown] = cells;
      expect(what).not.toBe("");
      expect(shown).toMatch(/^(?:`test\/[^`]+`(?: `test\/[^`]+`)*$|Gap\b.*: ?.+|Reason: .+)/);
    }
  });

  it("has each of the 14 principles, and both columns of each", () => {
    const rows = rowsOf("The 14 NCSC");
    expect(rows.map(({ cells }) => Number.parseInt(cells[0] ?? "", 10))).toEqual(
      Array.from({ length: 14 }, (_, at) => at + 1),
    );
    for (const { cells } of rows) expect(cells.filter((cell) => cell === "")).toEqual([]);
  });
});
