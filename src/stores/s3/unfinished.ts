import { hasCode } from "../../evidence/errors.ts";
import type { UnfinishedUpload } from "../../evidence/ports/store.ts";
import { forgettingRules, forgottenAt, type ForgettingRule } from "./forgetting.ts";
import { listMultipart } from "./multipart.ts";
import { listNotes, uploadOf } from "./notes.ts";
import { objectOf, type Tried } from "./objects.ts";

/** The uploads that the engine still keeps of those that have a note, oldest first. */
export async function unfinishedUploads(
  store: Tried,
  signal: AbortSignal,
): Promise<UnfinishedUpload[]> {
  const found: UnfinishedUpload[] = [];
  let rules: readonly ForgettingRule[] | undefined;
  for await (const { note } of listNotes(store, signal)) {
    const object = objectOf(store, note.key);
    try {
      const { parts, expiresAt } = await listMultipart(store, object, note.uploadId, signal);
      const receivedBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      rules ??= await forgettingRules(store.bucket, signal);
      found.push({
        ...uploadOf(note),
        startedAt: note.startedAt,
        receivedBytes,
        expiresAt: expiresAt ?? forgottenAt(rules, object, note.startedAt),
      });
    } catch (error) {
      if (!hasCode(error, "not-found.upload")) throw error;
    }
  }
  return found.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}
