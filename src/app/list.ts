import { caseSchema } from "../evidence/case.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import { checked } from "./checked.ts";
import type { Deps } from "./deps.ts";

export interface ListRequest {
  readonly store?: string;
  /** One case; left out, all that the caller may see. */
  readonly case?: string;
}

/** The exhibits the caller may see, ordered by case and reference, as they come from the store. */
export async function* list(
  deps: Pick<Deps, "connect">,
  request: ListRequest,
  signal: AbortSignal,
): AsyncGenerator<ExhibitEntry, void> {
  const caseRef =
    request.case === undefined ? undefined : checked(caseSchema, request.case, "The case");
  const connection = await deps.connect(request.store);
  try {
    yield* connection.register.list(caseRef, signal);
  } finally {
    await connection.close();
  }
}
