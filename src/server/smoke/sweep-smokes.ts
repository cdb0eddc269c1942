import { smokeCase } from "../../evidence/case.ts";
import { parseKey } from "../../evidence/key.ts";
import { leftoverMs, smokePrefix } from "../../evidence/smoke.ts";
import { serverActor } from "../custody/custody.ts";
import { keepDoing } from "../in-background.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { eraseSmoke, findSmoke } from "./erase-smoke.ts";

/** That a smoke was erased is remembered for so long. */
const rememberedMs = 90 * 24 * 60 * 60 * 1000;
const everyMs = 60 * 60 * 1000;

/** Erases the synthetic material that nobody erased within a day, and content of it that the database does not know. */
export async function sweepSmokes(
  desk: ShareDesk,
  onErased: (exhibit: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { database, clock } = desk.deps;
  const ago = (ms: number): string => new Date(clock.now().getTime() - ms).toISOString();
  const left = await database
    .selectFrom("smokes")
    .select("exhibit_id")
    .where("erased_at", "is", null)
    .where("started_at", "<=", ago(leftoverMs))
    .execute();
  for (const { exhibit_id: id } of left) {
    signal.throwIfAborted();
    const exhibit = id === null ? undefined : await findSmoke(database, id);
    if (exhibit === undefined) continue;
    await eraseSmoke(desk, exhibit, serverActor, signal);
    onErased(exhibit.id);
  }
  await eraseUnknown(desk, signal);
  await database.deleteFrom("smokes").where("erased_at", "<=", ago(rememberedMs)).execute();
}

/** What was still on its way into the content store while its exhibit was being erased. */
async function eraseUnknown({ deps }: ShareDesk, signal: AbortSignal): Promise<void> {
  const { database, content, smokeEraser } = deps;
  const keys: string[] = [];
  for await (const { key } of content.list(smokePrefix, signal)) keys.push(key);
  for (const key of keys) {
    const reference = parseKey(key)?.reference ?? "";
    // Machines that use this very store without a server have letters there, and erase their own.
    if (!/^SMOKE\/\d+\/\d+$/.test(reference)) continue;
    const known = await database
      .selectFrom("exhibits")
      .select("id")
      .where("case_ref", "=", smokeCase)
      .where("reference", "=", reference)
      .executeTakeFirst();
    if (known === undefined) await smokeEraser.erase(key, signal);
  }
}

/** Sweeps at once and every hour, in the background. Returns what stops it and waits for its end. */
export function keepSweeping(
  desk: ShareDesk,
  onErased: (exhibit: string) => void,
  onFailure: (code: string) => void,
): () => Promise<void> {
  return keepDoing((signal) => sweepSmokes(desk, onErased, signal), everyMs, onFailure);
}
