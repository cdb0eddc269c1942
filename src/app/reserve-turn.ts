import { ExhibitError, hasCode } from "../evidence/errors.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { QueuedPlan } from "../evidence/ports/upload-queue.ts";
import { persistently } from "../transfer/persistence.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import type { ExhibitUpload } from "./upload-exhibit.ts";

/** A place in a case, or why there is none. */
export type Reserved = ExhibitEntry | { readonly error: unknown };

/**
 * Reserves exhibits in their order, or finds those that this command reserved before; in one request where the store takes
 * bundles. What fails all of them is the error of each.
 */
export async function reserveTurn(
  upload: Omit<ExhibitUpload, "plan">,
  turn: readonly Pick<QueuedPlan, "plan">[],
  signal: AbortSignal,
): Promise<readonly Reserved[]> {
  const { bundles } = upload.connection;
  if (bundles !== undefined && turn.length > 1) {
    const reservations = turn.map(({ plan }) => reservationOf(upload, plan));
    try {
      const answers = await persistently(
        () => bundles.reserveAll(reservations, signal),
        upload.deps,
        signal,
      );
      return answers.map((answer) => (answer instanceof ExhibitError ? { error: answer } : answer));
    } catch (error) {
      return turn.map(() => ({ error }));
    }
  }
  const reserved: Reserved[] = [];
  for (const { plan } of turn) {
    reserved.push(
      await reserveExhibit(upload, plan, signal).catch((error: unknown) => ({ error })),
    );
  }
  return reserved;
}

/** A wanted reference that is taken may hold this very content, uploaded from another place. */
async function reserveExhibit(
  upload: Omit<ExhibitUpload, "plan">,
  plan: ExhibitPlan,
  signal: AbortSignal,
): Promise<ExhibitEntry> {
  const { deps, connection, request } = upload;
  const { register } = connection;
  const { case: caseRef, reference } = request;
  const reservation = reservationOf(upload, plan);
  try {
    return await persistently(() => register.reserve(reservation, signal), deps, signal);
  } catch (error) {
    if (reference === undefined || !hasCode(error, "conflict.exists")) throw error;
    const address = { kind: "reference", case: caseRef, reference } as const;
    const [holder] = await persistently(() => register.find(address, signal), deps, signal);
    if (holder?.state === "sealed") return holder;
    throw error;
  }
}

function reservationOf(
  { request }: Omit<ExhibitUpload, "plan">,
  { sourceId, totalBytes }: ExhibitPlan,
) {
  const { case: caseRef, reference, initials } = request;
  return { case: caseRef, reference, initials, sourceId, totalBytes };
}
