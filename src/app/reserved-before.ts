import type { ExhibitEntry, Register } from "../evidence/ports/register.ts";
import type { QueuedPlan } from "../evidence/ports/upload-queue.ts";
import { severalAtATime } from "./several-at-a-time.ts";
import { requestOf, type UploadRequest } from "./upload-request.ts";

/** Cases that the store is asked about at once. */
const casesAtOnce = 8;

/** What this submitter has reserved, sealed or not, for plans of a turn, by their places. Nothing is reserved by asking. */
export async function reservedBefore(
  register: Pick<Register, "lookup">,
  request: UploadRequest,
  turn: readonly QueuedPlan[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, ExhibitEntry>> {
  const byCase = new Map<string, QueuedPlan[]>();
  for (const queued of turn) {
    const { case: caseRef } = requestOf(request, queued.plan);
    const others = byCase.get(caseRef);
    if (others === undefined) byCase.set(caseRef, [queued]);
    else others.push(queued);
  }
  const found = new Map<number, ExhibitEntry>();
  await severalAtATime([...byCase], casesAtOnce, signal, async ([caseRef, plans], _, stop) => {
    const sourceIds = plans.map(({ plan }) => plan.sourceId);
    const entries = await register.lookup(caseRef, sourceIds, stop);
    for (const { place, plan } of plans) {
      const entry = entries.get(plan.sourceId);
      if (entry !== undefined) found.set(place, entry);
    }
  });
  return found;
}
