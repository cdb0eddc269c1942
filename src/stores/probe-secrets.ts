import { ExhibitError } from "../evidence/errors.ts";
import type { Secrets } from "../evidence/ports/secrets.ts";
import { randomId } from "../evidence/random-id.ts";

/**
 * Makes sure that secrets can be kept here, before an invitation or a sign-in is spent on one that would be lost.
 *
 * @throws ExhibitError `auth.no-keychain`
 */
export async function probeSecrets(secrets: Secrets): Promise<void> {
  const name = randomId("probe:", 12);
  await secrets.set(name, name);
  const kept = await secrets.get(name);
  await secrets.delete(name);
  if (kept === name) return;
  throw new ExhibitError("auth.no-keychain", `${secrets.place} does not keep what it is given.`, {
    hint: "Use a key file instead: --key-file FILE.",
  });
}
