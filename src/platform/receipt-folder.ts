import path from "node:path";
import { caseSegment } from "../evidence/case.ts";
import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { FlushTogether } from "../evidence/ports/flush-together.ts";
import type { Receipts } from "../evidence/ports/receipts.ts";
import { referenceSegment } from "../evidence/reference.ts";
import type { Sealed } from "../evidence/seal.ts";
import { replaceFile, replaceFiles, textOf } from "./atomic-file.ts";

type Exhibit = Parameters<Receipts["save"]>[0];

/** Receipts as files, `<folder>/<case>/<reference>.receipt.json`, readable by this user only. None is replaced by another. */
export function receiptFolder(folder: string, flush: FlushTogether): Receipts {
  return {
    async save(exhibit, receipt, chosen) {
      const text = textOfReceipt(receipt);
      const file = chosen ?? usualFile(folder, exhibit);
      return orUnwritable(file, async () => {
        const free = freeFile(file, text, chosen !== undefined);
        await replaceFile(free, text);
        return free;
      });
    },

    async saveAll(receipts) {
      const found = receipts.map(({ exhibit, receipt }) => {
        const text = textOfReceipt(receipt);
        const file = usualFile(folder, exhibit);
        try {
          return { file: freeFile(file, text, false), text };
        } catch (error) {
          return error instanceof ExhibitError ? error : unwritable(file, error);
        }
      });
      const files = found.flatMap((one) => (one instanceof ExhibitError ? [] : [one]));
      await orUnwritable(folder, () => replaceFiles(folder, files, flush));
      return found.map((one) => (one instanceof ExhibitError ? one : one.file));
    },
  };
}

function usualFile(folder: string, { case: caseRef, reference }: Exhibit): string {
  return path.join(folder, caseSegment(caseRef), `${referenceSegment(reference)}.receipt.json`);
}

function textOfReceipt(receipt: Sealed): string {
  return `${JSON.stringify(receipt)}\n`;
}

/**
 * Where a receipt may go. Where another store gave the same reference, its receipt stays, and this one's own digest tells it apart.
 *
 * @throws ExhibitError `conflict.exists` when another file lies where a person chose to have it
 */
function freeFile(file: string, text: string, isChosen: boolean): string {
  const there = textOf(file);
  if (there === undefined || there === text) return file;
  if (isChosen) throw taken(file);
  return file.replace(/\.receipt\.json$/, `.${sha256Of(text).slice(0, 12)}.receipt.json`);
}

async function orUnwritable<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ExhibitError ? error : unwritable(file, error);
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
