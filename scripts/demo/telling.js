// What the demo says, and how it looks at files.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {string} title */
export function step(title) {
  say(`\n${title}`);
}

/** @param {number} bytes */
export function size(bytes) {
  return bytes < 100_000
    ? `${(bytes / 1000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** @param {string} file */
export async function sha256(file) {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(file)) hash.update(bytes);
  return hash.digest("hex");
}
