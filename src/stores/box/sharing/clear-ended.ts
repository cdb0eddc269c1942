import { ExhibitError } from "../../../evidence/errors.ts";
import { Calls } from "./calls.ts";
import { eventOf } from "./create.ts";
import { describe, endOf } from "./describe.ts";
import type { Desk } from "./desk.ts";
import { findLink } from "./link.ts";
import type { ShelvedShare } from "./shelf.ts";
import { leftWords, takeDown } from "./take-down.ts";

/** So long after its end a share is over whatever Box shows: no clock is as wrong as that. */
const surelyOverMs = 24 * 3_600_000;

/**
 * Takes away what shares that have ended by themselves have left: copies that nobody can open any more, and invitations that Box let live on.
 * A share whose link Box still shows is left alone for a day, in case it is this computer's clock that is wrong. What cannot be taken away now
 * is tried again the next time.
 *
 * @returns what was done and what was not, in words
 * @throws the signal's reason
 */
export async function clearEnded(
  desk: Desk,
  shares: readonly ShelvedShare[],
  signal: AbortSignal,
): Promise<string[]> {
  const cleared: string[] = [];
  const notes: string[] = [];
  for (const shelved of shares) {
    const { id } = shelved.intent;
    const calls = new Calls(desk.files.api);
    try {
      if (!(await isOver(desk, calls, shelved, signal))) continue;
      const left = await takeDown(desk, calls, shelved, undefined, signal);
      await desk.shelf.log(eventOf(desk, shelved.intent, calls, "cleared"), signal);
      cleared.push(id);
      notes.push(...leftWords(left));
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof ExhibitError ? error.message : "Box does not answer.";
      notes.push(`Share ${id} has ended; what it left in Box could not be taken away yet: ${why}`);
    }
  }
  if (cleared.length === 0) return notes;
  return [
    `Had ended, and was cleared away now (copies and invitations in Box): ${cleared.join(", ")}.`,
    ...notes,
  ];
}

async function isOver(
  { clock }: Desk,
  calls: Calls,
  shelved: ShelvedShare,
  signal: AbortSignal,
): Promise<boolean> {
  const now = clock.now();
  if (describe(shelved, now).state !== "expired") return false;
  if (shelved.events.some(({ event }) => event === "cleared")) return false;
  if (now.getTime() > Date.parse(endOf(shelved)) + surelyOverMs) return true;
  const link = shelved.document?.link;
  return link !== undefined && (await findLink(calls, link.on, signal))?.link === undefined;
}
