import { ExhibitError } from "../evidence/errors.ts";
import { keptDiffers, type Kept } from "../evidence/kept.ts";
import type { Store } from "../evidence/ports/store.ts";
import type { RecordFile } from "../evidence/record.ts";
import { persistently, type Persistence } from "../transfer/persistence.ts";

/**
 * Compares a file with what its receipt says that the store keeps of it, by the store's word alone: size, version and digest.
 *
 * @returns undefined where the store keeps no digest that could be compared: only its bytes can tell
 * @throws ExhibitError `not-found.content` when nothing lies there, `integrity.mismatch` when another object does; `unavailable.store`;
 * the signal's reason
 */
export async function compareKept(
  store: Store,
  { path, key, sizeBytes }: RecordFile,
  before: Kept,
  persistence: Persistence,
  signal: AbortSignal,
): Promise<"same" | undefined> {
  if (keptDiffers(before, before) === undefined) return undefined;
  const now = await persistently(() => store.stat(key, signal), persistence, signal);
  if (now === undefined) throw gone(before);
  const differs = now.kept === undefined ? undefined : keptDiffers(before, now.kept);
  if (differs === undefined) return undefined;
  const inSize =
    now.sizeBytes === sizeBytes ? [] : [`${now.sizeBytes} bytes instead of ${sizeBytes}`];
  const all = [...inSize, ...differs];
  if (all.length === 0) return "same";
  throw new ExhibitError(
    "integrity.mismatch",
    `For ${path} the store holds another object than its receipt says: ${all.join(", ")}.`,
    {
      hint: `Keep everything as it is and tell your administrator.${below(before, now.kept)} Whether the bytes that lie there now are the same is told by exhibit verify --deep.`,
    },
  );
}

/** In a store that keeps versions, what was put on top takes nothing away. */
function below(before: Kept, now: Kept | undefined): string {
  return before.version === undefined || before.version === now?.version
    ? ""
    : ` The version that was uploaded may still lie below it: ${before.version}.`;
}

function gone({ version }: Kept): ExhibitError {
  return new ExhibitError("not-found.content", "The store holds nothing under this key.", {
    hint:
      version === undefined
        ? "It was taken away. Keep everything as it is and tell your administrator."
        : `It was taken away. The bucket keeps versions: have your administrator look for the version ${version}.`,
  });
}
