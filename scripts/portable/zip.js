// A folder as a zip whose bytes depend on what is in the files and on their names alone.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import yazl from "yazl";

/** The local time here is what a zip says, whatever the time zone: it has none ("MS-DOS date and time"). */
const everythingsTime = new Date(2000, 0, 1, 12);

/**
 * Writes a folder as a zip, below its own name and in the order of the names' bytes, with `SHA256SUMS` over all files, which is put into the folder too.
 *
 * @param {string} zip
 * @param {string} folder
 * @param {readonly string[]} programs files in it that may be run
 */
export async function writeZip(zip, folder, programs) {
  const files = await filesBelow(folder);
  const sums = [];
  for (const file of files) sums.push(`${await sha256Of(path.join(folder, file))}  ${file}\n`);
  await writeFile(path.join(folder, "SHA256SUMS"), sums.join(""));
  const archive = new yazl.ZipFile();
  for (const file of [...files, "SHA256SUMS"].sort()) {
    const name = `${path.basename(folder)}/${file}`;
    archive.addBuffer(await readFile(path.join(folder, file)), name, {
      mtime: everythingsTime,
      // Else the moment itself, in UTC, is written beside it.
      forceDosTimestamp: true,
      mode: programs.includes(file) ? 0o100755 : 0o100644,
      compressionLevel: 9,
    });
  }
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(zip));
}

/** @param {string} file */
export async function sha256Of(file) {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

/** @param {string} folder @returns {Promise<string[]>} relative paths with slashes, sorted */
async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/"),
    )
    .sort();
}
