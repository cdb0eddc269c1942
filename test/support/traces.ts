import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** The files below a folder with what is in them, but for those that are passed over. */
export async function filesIn(
  folder: string,
  passed: readonly string[],
): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file);
    if (entry.isFile() && !passed.some((one) => name.startsWith(one))) {
      found.push([name, await readFile(file)]);
    }
  }
  return found;
}

/** Which of the strings stand in the bytes, as they are, in a URL, or in hex; each as "name in file". */
export function traces(
  wanted: Record<string, string>,
  files: readonly [string, Buffer][],
): string[] {
  const traced: string[] = [];
  for (const [what, text] of Object.entries(wanted)) {
    const forms = [text, encodeURIComponent(text), Buffer.from(text).toString("hex")];
    for (const [name, bytes] of files) {
      if (forms.some((form) => bytes.includes(form))) traced.push(`${what} in ${name}`);
    }
  }
  return traced;
}
