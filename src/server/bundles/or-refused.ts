import { ZodError } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Refused } from "../../protocol/bundles.ts";
import { foreseenFailure } from "../problems.ts";

/** What `work` gives, or the foreseen failure that it throws: of one among many, which go on. */
export async function orRefused<T>(work: () => Promise<T>): Promise<T | ExhibitError> {
  try {
    return await work();
  } catch (error) {
    const foreseen =
      error instanceof ExhibitError || error instanceof ZodError
        ? foreseenFailure(error)
        : undefined;
    if (foreseen === undefined) throw error;
    return foreseen;
  }
}

/** A refusal as it is told in an answer about many. */
export function refusedAs({ code, message, hint, facts }: ExhibitError): Refused {
  return { problem: { code, title: message, ...(hint === undefined ? {} : { hint }), facts } };
}
