import { text } from "node:stream/consumers";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { openRotation } from "../../evidence/key-rotation.ts";
import type { Store } from "../../evidence/ports/store.ts";
import { sealedSchema, type Sealed } from "../../evidence/seal.ts";
import type { ServerDeps } from "../deps.ts";

/** Where statements lie in the content store, numbered from 1. No case can have this name. */
const prefix = "~SERVER/KEY_ROTATIONS/";

/**
 * Keeps the statements by which this server's keys were handed on beside the evidence, where they outlive the data folder, and
 * looks whether they say that the key it has was handed on already: then its data folder is an old copy.
 *
 * @throws ExhibitError `conflict.locked` for a key that is retired; what the store throws
 */
export async function keepRotations(
  { content, key, rotations }: Pick<ServerDeps, "content" | "key" | "rotations">,
  signal: AbortSignal,
): Promise<void> {
  const kept = new Set<string>();
  let last = 0;
  for await (const { name, sealed } of keptIn(content, signal)) {
    const { from, at } = await openRotation(sealed);
    if (from.x === key.publicJwk.x) throw retired(at);
    kept.add(sealed.payload);
    last = Math.max(last, name);
  }
  for (const sealed of rotations) {
    if (kept.has(sealed.payload)) continue;
    last += 1;
    const bytes = Buffer.from(JSON.stringify(sealed));
    const name = `${prefix}KEY_ROTATIONS-${String(last).padStart(4, "0")}.json`;
    await content.put(name, bytes, sha256Of(bytes), signal);
  }
}

/** The statements in a content store. Whoever may write there may put things there that are none: those are passed over. */
async function* keptIn(
  content: Store,
  signal: AbortSignal,
): AsyncGenerator<{ name: number; sealed: Sealed }> {
  for await (const { key } of content.list(prefix, signal)) {
    const name = Number(/-(\d+)\.json$/.exec(key)?.[1] ?? 0);
    const document = await text(await content.open(key, undefined, signal));
    try {
      const sealed = sealedSchema.parse(JSON.parse(document));
      await openRotation(sealed);
      yield { name, sealed };
    } catch {
      continue;
    }
  }
}

function retired(at: string): ExhibitError {
  return new ExhibitError(
    "conflict.locked",
    `This data folder has a key of the server that was retired on ${at}: it is an old copy.`,
    {
      hint: "Start the server from the data folder that has the new key, or restore a backup that was made since. If there is none: exhibit server rotate-key --old-key-lost.",
    },
  );
}
