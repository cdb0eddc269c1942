import { readFile } from "node:fs/promises";
import path from "node:path";
import { caseSegment } from "../evidence/case.ts";
import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Receipts } from "../evidence/ports/receipts.ts";
import { referenceSegment } from "../evidence/reference.ts";
import { replaceFile } from "./atomic-file.ts";

/** Receipts as files, `<folder>/<case>/<reference>.receipt.json`, readable by this user only. None is replaced by another. */
export function receiptFolder(folder: string): Receipts {
  const save: Receipts["save"] = async (exhibit, receipt, chosen) => {
    const text = `${JSON.stringify(receipt)}\n`;
    let file = chosen ?? usualFile(folder, exhibit);
    try {
      if (!(await isFree(file, text))) {
        if (chosen !== undefined) throw taken(chosen);
        // Another store gave the same reference: its receipt stays, and this one's own digest tells it apart.
        file = file.replace(/\.receipt\.json$/, `.${sha256Of(text).slice(0, 12)}.receipt.json`);
      }
      await replaceFile(file, text);
    } catch (error) {
      throw error instanceof ExhibitError ? error : unwritable(file, error);
    }
    return file;
  };
  return {
    save,
    saveAll: (receipts) =>
      Promise.all(receipts.map(({ exhibit, receipt }) => save(exhibit, receipt, undefined))),
  };
}

function usualFile(folder: string, exhibit: { case: string; reference: string }): string {
  const name = `${referenceSegment(exhibit.reference)}.receipt.json`;
  return path.join(folder, caseSegment(exhibit.case), name);
}

/** True when nothing is there, or this very text. */
async function isFree(file: string, text: string): Promise<boolean> {
  try {
    return (await readFile(file, "utf8")) === text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}

function taken(file: string): ExhibitError {
  return new ExhibitError("conflict.exists", `There is another file at ${file} already.`, {
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
