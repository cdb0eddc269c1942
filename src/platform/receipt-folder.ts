import { readFile } from "node:fs/promises";
import path from "node:path";
import { caseSegment } from "../evidence/case.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Receipts } from "../evidence/ports/receipts.ts";
import { referenceSegment } from "../evidence/reference.ts";
import { replaceFile } from "./atomic-file.ts";

/** Receipts as files, `<folder>/<case>/<reference>.receipt.json`, readable by this user only. */
export function receiptFolder(folder: string): Receipts {
  return {
    async save(exhibit, receipt, chosen) {
      const name = `${referenceSegment(exhibit.reference)}.receipt.json`;
      const file = chosen ?? path.join(folder, caseSegment(exhibit.case), name);
      const text = `${JSON.stringify(receipt)}\n`;
      try {
        // A file that someone chose may be anything; only ours is ours to replace.
        if (chosen !== undefined) await requireFree(chosen, text);
        await replaceFile(file, text);
      } catch (error) {
        throw error instanceof ExhibitError ? error : unwritable(file, error);
      }
      return file;
    },
  };
}

async function requireFree(file: string, text: string): Promise<void> {
  let there: string;
  try {
    there = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (there === text) return;
  throw new ExhibitError("conflict.exists", `There is another file at ${file} already.`, {
    hint: "The exhibit is stored; its receipt is kept in the state folder when you leave out --receipt.",
  });
}

function unwritable(file: string, cause: unknown): ExhibitError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new ExhibitError(
    code === "ENOSPC" || code === "EDQUOT" ? "unavailable.no-space" : "usage.invalid",
    `The exhibit is stored, but its receipt cannot be written to ${file} (${message}).`,
    {
      hint: "Make room there or choose another place with --receipt, then run the same command again.",
      cause,
    },
  );
}
