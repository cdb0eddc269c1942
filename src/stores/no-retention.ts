import { ExhibitError } from "../evidence/errors.ts";
import type { Retention } from "../evidence/retention.ts";

/** What a store can do that cannot keep an object against being deleted. */
export const noRetention = { period: false, legalHold: false } as const;

/** `retain` of such a store. @throws ExhibitError `policy.unsupported` */
export function cannotRetain(key: string, asked: Retention, signal: AbortSignal): Promise<never> {
  return signal.aborted
    ? Promise.reject(signal.reason as Error)
    : Promise.reject(
        new ExhibitError("policy.unsupported", `This store cannot retain ${key}.`, {
          hint: "Use a bucket in S3 with Object Lock.",
          facts: { legalHold: String(asked.legalHold) },
        }),
      );
}
