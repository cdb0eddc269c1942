import { formatAddress, parseAddress } from "../evidence/address.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { ExhibitEntry, Register } from "../evidence/ports/register.ts";

/**
 * The one exhibit that a person named: `CASE:ABC/1`, its id, or a bare `ABC/1` where that is unique.
 *
 * @throws ExhibitError `usage.invalid`, `not-found.exhibit`, `usage.ambiguous` (the candidates in its hint)
 */
export async function findExhibit(
  register: Register,
  name: string,
  signal: AbortSignal,
): Promise<ExhibitEntry> {
  const found = await register.find(parseAddress(name), signal);
  const [only, ...others] = found;
  if (only === undefined) {
    throw new ExhibitError("not-found.exhibit", `There is no exhibit ${name} that you may see.`, {
      hint: "Check the case and the reference; exhibit list shows what is there.",
    });
  }
  if (others.length > 0) {
    const candidates = found.map(formatAddress).sort().join(", ");
    throw new ExhibitError("usage.ambiguous", `${name} is in ${found.length} cases.`, {
      hint: `Name the case, too. It could be: ${candidates}.`,
      facts: { candidates },
    });
  }
  return only;
}
