import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Stored } from "../../evidence/ports/store.ts";

/** An answer, when it has the form that the protocol says. @throws ExhibitError `unavailable.store` */
export function valid<T>(schema: z.ZodType<T>, body: unknown): T {
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  throw nonsense(found.error);
}

export function nonsense(cause: unknown): ExhibitError {
  return new ExhibitError("unavailable.store", "The server gave an answer that makes no sense.", {
    hint: "The client and the server may be of different versions, or a proxy changes what is sent.",
    facts: { status: 200 },
    cause,
  });
}

/** What a server says it stored, when that is what it was given. @throws ExhibitError `integrity.mismatch` */
export function checkedStored(said: Stored, sent: Omit<Stored, "proof">): Stored {
  const same =
    said.key === sent.key && said.sizeBytes === sent.sizeBytes && said.sha256 === sent.sha256;
  if (same) return said;
  throw new ExhibitError("integrity.mismatch", "The server says it stored something else.", {
    hint: "Do not rely on what it holds. Tell its administrator.",
    facts: { sentSha256: sent.sha256, storedSha256: said.sha256 },
  });
}
