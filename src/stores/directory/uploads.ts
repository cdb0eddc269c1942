import { ExhibitError } from "../../evidence/errors.ts";
import type {
  HashedPart,
  Part,
  Stored,
  StoredPart,
  UnfinishedUpload,
  Upload,
} from "../../evidence/ports/store.ts";
import { sha256Of } from "../../evidence/digest.ts";
import { writeAt } from "./durable.ts";
import { errnoOf } from "./failures.ts";
import { finishedSize, sameContent, taken } from "./finished.ts";
import { InTurn } from "./in-turn.ts";
import { checkPart, checkSizes, directoryCapabilities } from "./parts.ts";
import { publish } from "./publish.ts";
import { ReceivingCache, type Receiving } from "./receiving.ts";
import { assertFits } from "./space.ts";
import {
  contentOf,
  createUpload,
  folderOf,
  lockOf,
  readUpload,
  removeUpload,
  sweepLeftOvers,
  uploadFolders,
  withUpload,
  type UploadDocument,
  type UploadFiles,
} from "./unfinished.ts";
import { UploadLock } from "./upload-lock.ts";

/** The uploads of one directory store, as this process works on them; others may work on them at the same time. */
export class DirectoryUploads {
  readonly #root: string;
  readonly #receiving: ReceivingCache;
  readonly #inTurn = new InTurn();
  readonly #lock = new UploadLock();

  constructor(root: string) {
    this.#root = root;
    this.#receiving = new ReceivingCache(root);
  }

  /** One at a time, so that two cannot both be promised the last free bytes. */
  begin(key: string, sizeBytes: number, partBytes: number): Promise<Upload> {
    return this.#inTurn.run("begin", async () => {
      checkSizes(sizeBytes, partBytes);
      if ((await finishedSize(this.#root, key)) !== undefined) throw taken(key);
      const found = await readUpload(folderOf(this.#root, { key, sizeBytes }));
      if (found !== undefined) return plain(found);
      await assertFits(this.#root, sizeBytes);
      const made = await createUpload(this.#root, { key, sizeBytes, partBytes });
      await sweepLeftOvers(this.#root);
      return plain(made);
    });
  }

  async putPart(upload: Upload, part: Part, signal: AbortSignal): Promise<void> {
    checkPart(upload, part);
    const { offset, length, sha256 } = part;
    const receiving = this.#receiving.of(upload);
    await receiving.alone(part, () =>
      withUpload(this.#root, upload, "write", ({ content, log }) =>
        // From the look at the log to the entry in it: once all parts are there, nothing writes any more.
        this.#lock.during(lockOf(this.#root, upload), signal, async () => {
          await receiving.log.refresh(log);
          const there = receiving.log.within(part);
          if (there !== undefined) {
            requireSame(there, part);
            return;
          }
          requireRoomFor(receiving.log.size);
          signal.throwIfAborted();
          await writeAt(content, part.bytes, offset);
          await content.datasync();
          await receiving.log.add(log, { offset, length, sha256 });
          receiving.follow();
        }),
      ),
    );
  }

  listParts(upload: Upload): Promise<StoredPart[]> {
    return withUpload(this.#root, upload, "read", async ({ log }) => {
      const receiving = this.#receiving.of(upload);
      await receiving.log.refresh(log);
      return receiving.log.parts().map(({ offset, length, sha256: hex }) => {
        return { offset, length, digest: { algorithm: "sha256", hex } };
      });
    });
  }

  /**
   * Reads what the following hash has not yet read, and publishes. After a mismatch the upload stays, but parts whose
   * bytes on the disk are no longer those that were acknowledged are forgotten, so that sending again repairs it.
   */
  complete(
    upload: Upload,
    sha256: string,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<Stored> {
    const { key, sizeBytes } = upload;
    return this.#inTurn.run(upload.id, async () => {
      if (await this.#publish(upload, sha256, signal, onProved)) {
        await this.abort(upload);
        return { key, sizeBytes, sha256, proof: "read-back" };
      }
      const stored = await sameContent(this.#root, { key, sizeBytes, sha256 }, signal);
      await this.abort(upload);
      return stored;
    });
  }

  async abort(upload: Upload): Promise<void> {
    this.#receiving.forget(upload);
    await removeUpload(this.#root, upload);
  }

  async uploads(signal: AbortSignal): Promise<UnfinishedUpload[]> {
    const found: UnfinishedUpload[] = [];
    for (const folder of await uploadFolders(this.#root)) {
      signal.throwIfAborted();
      try {
        const upload = await readUpload(folder);
        if (upload === undefined) continue;
        const parts = await this.listParts(upload);
        const receivedBytes = parts.reduce((sum, part) => sum + part.length, 0);
        const { startedAt } = upload;
        found.push({ ...plain(upload), startedAt, receivedBytes, expiresAt: undefined });
      } catch (error) {
        if (!isOthersOrGone(error)) throw error;
      }
    }
    return found.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  }

  /** False where the key is, or was meanwhile, taken: perhaps by this very upload, in another process. */
  async #publish(
    upload: Upload,
    sha256: string,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<boolean> {
    const isTaken = async (): Promise<boolean> =>
      (await finishedSize(this.#root, upload.key)) !== undefined;
    if (await isTaken()) return false;
    try {
      return await this.#publishAlone(upload, sha256, signal, onProved);
    } catch (error) {
      if (await isTaken()) return false;
      throw error;
    }
  }

  #publishAlone(
    upload: Upload,
    sha256: string,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<boolean> {
    return withUpload(this.#root, upload, "prove", (files) =>
      // Locked from the proof to the name, so that no byte changes between them.
      this.#lock.during(lockOf(this.#root, upload), signal, async () => {
        // Parts of what is published are never forgotten: sending them again would write into it.
        if ((await finishedSize(this.#root, upload.key)) !== undefined) return false;
        const found = await this.#digest(upload, files, signal, onProved);
        if (found !== sha256) throw await this.#mismatch(upload, files, sha256, found, signal);
        signal.throwIfAborted();
        return publish(this.#root, contentOf(this.#root, upload), upload.key);
      }),
    );
  }

  async #digest(
    upload: Upload,
    { log }: UploadFiles,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<string> {
    const receiving = this.#receiving.of(upload);
    await receiving.log.refresh(log);
    const { sizeBytes } = upload;
    if (receiving.log.contiguousBytes !== sizeBytes) {
      const receivedBytes = receiving.log.parts().reduce((sum, part) => sum + part.length, 0);
      throw new ExhibitError(
        "integrity.mismatch",
        "The upload cannot be finished: parts are missing.",
        {
          hint: "Run the same upload command again: it sends what is missing.",
          facts: { sizeBytes, receivedBytes },
        },
      );
    }
    // Every part was flushed before the log named it.
    return receiving.digest(sizeBytes, signal, onProved);
  }

  async #mismatch(
    upload: Upload,
    files: UploadFiles,
    expectedSha256: string,
    foundSha256: string,
    signal: AbortSignal,
  ): Promise<ExhibitError> {
    const spoiltParts = await forgetSpoilt(this.#receiving.of(upload), files, signal);
    return new ExhibitError("integrity.mismatch", "What arrived is not what was sent.", {
      hint: "Nothing was stored. Run the same upload command again.",
      facts: { expectedSha256, foundSha256, spoiltParts },
    });
  }
}

async function forgetSpoilt(
  receiving: Receiving,
  { content, log }: UploadFiles,
  signal: AbortSignal,
): Promise<number> {
  let spoilt = 0;
  for (const part of receiving.log.parts()) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await content.read(
      Buffer.allocUnsafe(part.length),
      0,
      part.length,
      part.offset,
    );
    if (bytesRead === part.length && sha256Of(buffer) === part.sha256) continue;
    await receiving.log.drop(log, part);
    spoilt += 1;
  }
  if (spoilt > 0) receiving.rewind();
  return spoilt;
}

/** An upload of another account, or one that has just ended: neither belongs in a list. */
function isOthersOrGone(error: unknown): boolean {
  if (error instanceof ExhibitError) return error.code === "not-found.upload";
  return ["EACCES", "EPERM"].includes(errnoOf(error) ?? "");
}

function plain({ id, key, sizeBytes, partBytes }: UploadDocument): Upload {
  return { id, key, sizeBytes, partBytes };
}

/** @throws ExhibitError `conflict.part-differs` when what lies there is anything but this very part */
function requireSame(there: HashedPart, { offset, length, sha256 }: HashedPart): void {
  if (there.offset === offset && there.length === length && there.sha256 === sha256) return;
  throw new ExhibitError(
    "conflict.part-differs",
    "The store already holds other bytes for a part of this upload.",
    {
      hint: "The file was changed after its upload began, or is being sent twice. Abort that upload, then send the file again.",
      facts: { offset, heldOffset: there.offset },
    },
  );
}

/** Parts may be as short as a byte: so that no one fills the log with them. */
function requireRoomFor(parts: number): void {
  const { maxParts } = directoryCapabilities.parts;
  if (parts < maxParts) return;
  throw new ExhibitError("policy.too-large", `An upload has ${maxParts} parts at most.`, {
    hint: "Send longer parts.",
  });
}
