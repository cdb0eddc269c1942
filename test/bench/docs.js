// Keeps the current figures in docs/performance.md.
import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";

const page = new URL("../../docs/performance.md", import.meta.url);
const marks = {
  server: ["<!-- figures -->", "<!-- end of figures -->"],
  s3: ["<!-- figures of S3 -->", "<!-- end of figures of S3 -->"],
  box: ["<!-- figures of Box -->", "<!-- end of figures of Box -->"],
};

/**
 * Puts `text` between the page's marks.
 *
 * @param {string} text
 * @param {keyof typeof marks} store whose figures they are
 */
export async function writeDocs(text, store) {
  const before = await readFile(page, "utf8");
  const [start = "", end = ""] = marks[store];
  const from = before.indexOf(start);
  const to = before.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`docs/performance.md has lost its marks: ${start}, ${end}`);
  const after = `${before.slice(0, from + start.length)}\n\n${text}\n\n${before.slice(to)}`;
  const options = await resolveConfig(page);
  await writeFile(page, await format(after, { ...options, parser: "markdown" }));
}
