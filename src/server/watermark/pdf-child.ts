/**
 * The short life in which a PDF is opened. A small one can unfold into gigabytes and keep its reader busy for minutes, so
 * the parent starts this file as a program of its own, with limits. On stdin comes the mark as one line of JSON, or `null`
 * when the PDF is only to be looked at, and then the PDF; to stdout goes a {@link PdfAnswer} as one line, and then the copy.
 */
import { buffer } from "node:stream/consumers";
import { ExhibitError, type ErrorCode, type Facts } from "../../evidence/errors.ts";
import type { Mark } from "./mark.ts";
import { makePdf, openPdf } from "./pdf.ts";

/** Why there is no copy; empty when all went well. */
export interface PdfAnswer {
  readonly failure?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint: string | undefined;
    readonly facts: Facts;
  };
}

async function answer(mark: Mark | null, pdf: Buffer): Promise<[PdfAnswer, Buffer?]> {
  try {
    if (mark !== null) return [{}, await makePdf(pdf, { ...mark, at: new Date(mark.at) })];
    await openPdf(pdf);
    return [{}];
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    const { code, message, hint, facts } = error;
    return [{ failure: { code, message, hint, facts } }];
  }
}

const input = await buffer(process.stdin);
const end = input.indexOf("\n");
const mark = JSON.parse(input.toString("utf8", 0, end)) as Mark | null;
const [said, copy] = await answer(mark, input.subarray(end + 1));
process.stdout.write(`${JSON.stringify(said)}\n`);
if (copy !== undefined) process.stdout.write(copy);
