import { hasCode } from "../../../evidence/errors.ts";
import type { Outcome, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import { isFine } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

/** Longer than any store allows (S3: 1,024 bytes), so that the store refuses while the body is still on its way. */
const tooLong = 1100;
const bodyBytes = 8 * 1024 * 1024;

export interface EarlyRefusalFound {
  readonly earlyRefusal: boolean;
  readonly findings: readonly StoreFinding[];
}

/** Whether a refusal in the middle of a large body reaches us as what it is, rather than as a broken connection. */
export async function checkEarlyRefusal(scratch: Scratch): Promise<EarlyRefusalFound> {
  const outcome = await refused(scratch);
  const what = "A refusal in mid-body arrives as a refusal";
  return {
    earlyRefusal: outcome === "works",
    findings: [{ id: "early-refusal", what, outcome, detail: undefined }],
  };
}

async function refused(scratch: Scratch): Promise<Outcome> {
  const key = scratch.key("x".repeat(tooLong));
  try {
    const answer = await scratch.put(key, Buffer.alloc(bodyBytes));
    return isFine(answer) ? "untested" : "works";
  } catch (error) {
    if (hasCode(error, "unavailable.store")) return "ignored";
    throw error;
  }
}
