import { fileURLToPath } from "node:url";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Errand } from "./ffmpeg.ts";
import { RunFailed, runLimited, type Limits } from "./limited-run.ts";
import type { Mark } from "./mark.ts";
import type { PdfAnswer } from "./pdf-child.ts";
import type { Turns } from "./turns.ts";

/** What one PDF may use. */
export const pdfLimits: Limits = {
  timeoutMs: 20_000,
  maxOutputBytes: 256 * 1024 ** 2,
  memoryBytes: 1024 ** 3,
};

// tsc does not rewrite a URL, and Node 20 runs no TypeScript: from the sources, too, the built child is the one to start.
const child = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts")
      ? "../../../dist/server/watermark/pdf-child.js"
      : "./pdf-child.js",
    import.meta.url,
  ),
);

/**
 * Opens PDF in a program of its own, in turn with the runs of ffmpeg. `read` is called when the turn has come.
 * Errors of both: `policy.type-not-markable` when it is encrypted or broken, `policy.too-large` when it has too many pages or
 * takes more than 20 s or 1 GiB, and those of `read`.
 */
export interface PdfPress {
  /** Resolves when a marked copy can be made. */
  check(read: () => Promise<Buffer>, errand: Errand): Promise<void>;
  /** Makes a marked copy as `makePdf` does. */
  copy(read: () => Promise<Buffer>, mark: Mark, errand: Errand): Promise<Buffer>;
}

export function createPdfPress(turns: Turns, limits = pdfLimits): PdfPress {
  async function ask(
    read: () => Promise<Buffer>,
    mark: Mark | null,
    { party, folder, signal }: Errand,
  ): Promise<Buffer> {
    const output = await turns.take(party, signal, async () => {
      const input = [Buffer.from(`${JSON.stringify(mark)}\n`), await read()];
      const args = [`--max-old-space-size=${limits.memoryBytes / 2 ** 21}`, child];
      return runLimited(process.execPath, args, { ...limits, folder, signal, input });
    });
    const end = output.indexOf("\n");
    const { failure } = JSON.parse(output.toString("utf8", 0, end)) as PdfAnswer;
    if (failure === undefined) return output.subarray(end + 1);
    const { code, message, hint, facts } = failure;
    throw new ExhibitError(code, message, { ...(hint === undefined ? {} : { hint }), facts });
  }

  async function askWithin(
    read: () => Promise<Buffer>,
    mark: Mark | null,
    errand: Errand,
  ): Promise<Buffer> {
    try {
      return await ask(read, mark, errand);
    } catch (error) {
      const exhausted = error instanceof RunFailed || hasCode(error, "unavailable.busy");
      if (!exhausted || errand.signal.aborted) throw error;
      throw new ExhibitError(
        "policy.too-large",
        "The PDF takes too much time or memory to be marked.",
        { hint: "Share it with --access original.", cause: error },
      );
    }
  }

  return {
    async check(read, errand) {
      await askWithin(read, null, errand);
    },
    copy: askWithin,
  };
}
