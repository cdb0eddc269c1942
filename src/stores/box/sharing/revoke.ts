import { ExhibitError } from "../../../evidence/errors.ts";
import type { Revocation } from "../../../evidence/ports/sharing.ts";
import { Calls } from "./calls.ts";
import { eventOf } from "./create.ts";
import { describe, requireOwn, revokedAt, takenOut } from "./describe.ts";
import type { Desk } from "./desk.ts";
import { leftWords, takeDown } from "./take-down.ts";
import type { ShelvedShare } from "./shelf.ts";

/** How many originals of a share are known to have been downloaded; undefined where the account may not know. */
export type CountTaken = (
  shelved: ShelvedShare,
  signal: AbortSignal,
) => Promise<number | undefined>;

/**
 * Cuts a share, or one exhibit out of it; when the last exhibit goes, the share goes. What should still be there is taken away again at
 * each repetition.
 *
 * @throws ExhibitError `not-found.share`, `not-found.exhibit`, `policy.role`, `unavailable.*` when something could not be taken away
 */
export async function revokeShare(
  desk: Desk,
  countTaken: CountTaken,
  id: string,
  exhibit: string | undefined,
  signal: AbortSignal,
): Promise<Revocation> {
  const shelved = await desk.shelf.read(id, signal);
  requireOwn(shelved, await desk.account.get(signal));
  const out = takenOut(shelved);
  const { exhibits } = shelved.intent;
  if (exhibit !== undefined && !exhibits.some((one) => one.id === exhibit)) throw notInIt(id);
  const left = exhibits.filter((one) => !out.has(one.id) && one.id !== exhibit);
  const whole = exhibit === undefined || left.length === 0;
  const already = revokedAt(shelved) !== undefined || (!whole && out.has(exhibit));
  const calls = new Calls(desk.files.api);
  const kept = await takeDown(desk, calls, shelved, whole ? undefined : exhibit, signal);
  const originalsTaken = shelved.intent.access === "view" ? 0 : await countTaken(shelved, signal);
  const told = {
    sessionsCut: undefined,
    streamsCut: undefined,
    originalsTaken,
    notes: leftWords(kept),
  };
  const now = desk.clock.now();
  if (already) return { share: describe(shelved, now), already, ...told };
  const event = {
    ...eventOf(desk, shelved.intent, calls, whole ? "revoked" : "exhibit-revoked"),
    ...(whole ? {} : { exhibit }),
  };
  await desk.shelf.log(event, signal);
  const events = [...shelved.events, { ...event, schema: "exhibit.box-share-event/1" } as const];
  return { share: describe({ ...shelved, events }, now), already, ...told };
}

function notInIt(share: string): ExhibitError {
  return new ExhibitError("not-found.exhibit", "This share does not hold that exhibit.", {
    hint: "See what it holds with exhibit share show.",
    facts: { share },
  });
}
