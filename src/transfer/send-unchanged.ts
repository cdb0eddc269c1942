import { sha1Of, sha256Of } from "../evidence/digest.ts";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import type { Part } from "../evidence/ports/store.ts";
import { overLine, type Line } from "./line.ts";
import { persistently, type Persistence } from "./persistence.ts";

/** What arrived changed so often was not struck by chance: something on the way changes what is sent. */
const mostTries = 4;

/**
 * Makes a request that carries bytes until it gets through; where they were changed on their way, a few times more.
 *
 * @throws ExhibitError `integrity.mismatch` when they are changed each time, or were here, in memory; what
 * {@link persistently} throws
 */
export async function sendUnchanged<Result>(
  transfer: Persistence & { readonly line: Line },
  sent: Part,
  request: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const { line, onEvent } = transfer;
  const once = (): Promise<Result> => overLine(line, sent.length, request);
  for (let tries = 1; ; tries += 1) {
    try {
      return await persistently(once, transfer, signal);
    } catch (error) {
      if (!hasCode(error, "integrity.mismatch")) throw error;
      requireUnchanged(sent);
      if (tries === mostTries) throw error;
      onEvent({ type: "waiting", reason: "A part was changed on its way", seconds: 0 });
    }
  }
}

/** The store found other bytes than were hashed: here is where to look first, for the memory may be at fault. */
function requireUnchanged({ offset, bytes, sha1, sha256 }: Part): void {
  if (sha1 === undefined ? sha256Of(bytes) === sha256 : sha1Of(bytes) === sha1) return;
  throw new ExhibitError(
    "integrity.mismatch",
    "Bytes changed in this computer's memory after they were read.",
    {
      hint: "Its memory may be faulty: have it tested, and send from another computer. Nothing changed was stored.",
      facts: { offset },
    },
  );
}
