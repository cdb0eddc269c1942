import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Proof } from "../evidence/proof.ts";
import { isReachable } from "../transfer/read-back.ts";

/** Refuses, before anything is sent, a proof that the store cannot give. @throws ExhibitError `integrity.proof-too-weak` */
export function requireReachable(wanted: Proof, { name, store }: Connection): void {
  const { proof } = store.capabilities;
  if (isReachable(proof, wanted)) return;
  throw new ExhibitError(
    "integrity.proof-too-weak",
    `The store ${name} proves "${proof}", and "${wanted}" was asked for. Nothing was sent.`,
    {
      hint: `A bucket in S3 is believed only what was tried out: exhibit store check ${name}. Or have everything read back: --require-proof read-back. An exhibit server proves most.`,
      facts: { proof, wanted },
    },
  );
}
