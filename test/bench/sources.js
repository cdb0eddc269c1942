// What is sent: random bytes, made once, with the digests that whoever computes none is given.
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import path from "node:path";
import { partBytes } from "./settings.js";

/**
 * @typedef {{ offset: number, length: number, sha256: string }} Part
 * @typedef {{ path: string, name: string, sizeBytes: number, sha256: string, parts: Part[] }} SourceFile
 * @typedef {{ folder: string, files: SourceFile[], plan: string, bytes: number }} Source
 * `name` is relative to `folder`; `plan` is a file that holds `files` as JSON.
 */

/** So many in a folder. */
const perFolder = 1000;

/**
 * @param {string} folder
 * @param {number} count
 * @param {number} sizeBytes
 * @returns {Promise<Source>}
 */
export async function makeFiles(folder, count, sizeBytes) {
  /** @type {SourceFile[]} */
  const files = [];
  for (let index = 0; index < count; index += 1) {
    const name = path.join(folderName(index), `${String(index).padStart(7, "0")}.bin`);
    const file = path.join(folder, name);
    if (index % perFolder === 0) await mkdir(path.dirname(file), { recursive: true });
    if (sizeBytes > partBytes) writeRandom(file, sizeBytes);
    else await writeFile(file, randomBytes(sizeBytes));
    files.push({ path: file, name, sizeBytes, ...(await digests(file, sizeBytes)) });
  }
  const plan = `${folder}.json`;
  await writeFile(plan, JSON.stringify(files));
  return { folder, files, plan, bytes: count * sizeBytes };
}

/**
 * A folder of `count` files that have a size and no blocks: what is only listed needs no more.
 *
 * @param {string} folder
 * @param {number} count
 */
export async function makeEntries(folder, count) {
  for (let index = 0; index < count; index += 1) {
    const name = path.join(folder, folderName(index));
    if (index % perFolder === 0) await mkdir(name, { recursive: true });
    const file = openSync(path.join(name, `${String(index).padStart(7, "0")}.bin`), "w");
    ftruncateSync(file, 10 * 1024);
    closeSync(file);
  }
}

/**
 * A file of so many zeros without blocks: hashed and sent like any other, and read from no disk.
 *
 * @param {string} file
 * @param {number} sizeBytes
 */
export async function makeSparse(file, sizeBytes) {
  const handle = await open(file, "w");
  await handle.truncate(sizeBytes);
  await handle.close();
}

/** @param {number} index */
function folderName(index) {
  return `camera-${String(Math.floor(index / perFolder)).padStart(4, "0")}`;
}

/**
 * @param {string} file
 * @param {number} sizeBytes
 */
function writeRandom(file, sizeBytes) {
  const line = 'head -c "$1" /dev/urandom >"$0"';
  const { status } = spawnSync("sh", ["-c", line, file, String(sizeBytes)], { stdio: "inherit" });
  if (status !== 0) throw new Error(`${file} could not be written.`);
}

/**
 * @param {string} file
 * @param {number} sizeBytes
 * @returns {Promise<{ sha256: string, parts: Part[] }>}
 */
async function digests(file, sizeBytes) {
  const whole = createHash("sha256");
  /** @type {Part[]} */
  const parts = [];
  const buffer = Buffer.alloc(Math.min(partBytes, sizeBytes));
  const handle = await open(file);
  for (let offset = 0; offset < sizeBytes; offset += buffer.length) {
    const { bytesRead: length } = await handle.read(buffer, 0, buffer.length, offset);
    const bytes = buffer.subarray(0, length);
    whole.update(bytes);
    parts.push({ offset, length, sha256: createHash("sha256").update(bytes).digest("hex") });
  }
  await handle.close();
  return { sha256: whole.digest("hex"), parts };
}
