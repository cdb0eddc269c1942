import type { Outcome } from "../../../evidence/ports/store-probe.ts";
import type { S3Answer } from "../bucket.ts";

export function isFine({ status }: S3Answer): boolean {
  return status >= 200 && status < 300;
}

/**
 * What a store does with a request that contradicts itself, beside the same request without a fault: only who takes
 * the one and refuses the other has looked.
 */
export async function reactionOf(
  right: () => Promise<S3Answer>,
  wrong: () => Promise<S3Answer>,
): Promise<Outcome> {
  const control = await right();
  if (!isFine(control)) return refusalOf(control);
  const answer = await wrong();
  if (isFine(answer)) return "ignored";
  return answer.status < 500 ? "enforced" : "refused";
}

/** A refusal is about the credentials, or about the thing itself. */
export function refusalOf({ status }: S3Answer): Outcome {
  return status === 403 ? "denied" : "refused";
}
