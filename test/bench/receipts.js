// Counts files that have a signed receipt, and checks each signature and digest.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { built } from "./servers/exhibit.js";

/**
 * How many of the source's files are in a receipt that this key has signed, proved as they should be, with the digest that they have.
 *
 * @param {string} folder
 * @param {import("./sources.js").Source} source
 * @param {unknown} key
 * @param {"whole" | "parts" | "transport"} proved
 * @returns {Promise<number>}
 */
export async function checkReceipts(folder, source, key, proved) {
  const { openSealed } = await built("evidence/seal.js");
  const { receiptSchema, receiptType } = await built("evidence/receipt.js");
  const missing = new Set(source.files.map(({ sha256 }) => sha256));
  const all = missing.size;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const sealed = JSON.parse(await readFile(path.join(entry.parentPath, entry.name), "utf8"));
    const receipt = receiptSchema.parse(await openSealed(sealed, receiptType, key));
    for (const { digest, proof } of receipt.files) {
      if (proof === proved) missing.delete(digest.sha256);
    }
  }
  return all - missing.size;
}
