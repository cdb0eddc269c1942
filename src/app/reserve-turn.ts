import { ExhibitError, hasCode } from "../evidence/errors.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { QueuedPlan } from "../evidence/ports/upload-queue.ts";
import { persistently } from "../transfer/persistence.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { severalAtATime } from "./several-at-a-time.ts";
import type { ExhibitUpload } from "./upload-exhibit.ts";
import { requestOf } from "./upload-request.ts";

/** References that were refused, and are looked up, at once. */
const askedAtOnce = 8;

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
      return await severalAtATime(turn, askedAtOnce, signal, async ({ plan }, index) => {
        const answer = answers[index];
        if (answer !== undefined && !(answer instanceof ExhibitError)) return answer;
        return sealedHolder(upload, plan, answer, signal).catch((error: unknown) => ({ error }));
      });
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
  const { deps, connection } = upload;
  const reservation = reservationOf(upload, plan);
  try {
    return await persistently(() => connection.register.reserve(reservation, signal), deps, signal);
  } catch (error) {
    return sealedHolder(upload, plan, error, signal);
  }
}

/** The exhibit that has the reference which a plan was refused, where it is sealed. @throws the refusal, where there is none */
async function sealedHolder(
  { deps, connection, request }: Omit<ExhibitUpload, "plan">,
  plan: ExhibitPlan,
  refusal: unknown,
  signal: AbortSignal,
): Promise<ExhibitEntry> {
  const { register } = connection;
  const { case: caseRef, reference } = requestOf(request, plan);
  if (reference === undefined || !hasCode(refusal, "conflict.exists")) throw refusal;
  const address = { kind: "reference", case: caseRef, reference } as const;
  const [holder] = await persistently(() => register.find(address, signal), deps, signal);
  if (holder?.state === "sealed") return holder;
  throw refusal;
}

function reservationOf({ request }: Omit<ExhibitUpload, "plan">, plan: ExhibitPlan) {
  const { case: caseRef, reference, initials } = requestOf(request, plan);
  const { sourceId, totalBytes } = plan;
  return { case: caseRef, reference, initials, sourceId, totalBytes };
}
