import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type {
  Part,
  Stored,
  StoredPart,
  UnfinishedUpload,
  Upload,
} from "../../evidence/ports/store.ts";
import { storedSchema } from "../../protocol/content.ts";
import {
  provingSchema,
  uploadListSchema,
  uploadStateSchema,
  uploadsPath,
  type UploadState,
} from "../../protocol/uploads.ts";
import { sendBytes } from "./data-plane.ts";
import { failureOf, type Answer } from "./http.ts";
import type { Session } from "./session.ts";
import { ToEngine } from "./to-engine.ts";
import { checkedStored, valid } from "./valid-answer.ts";

type Instruction = Pick<UploadState, "part" | "directParts">;

/** How long to wait before asking again how far a proof is, where the server does not say, and at most. */
const askAgainSeconds = { usual: 2, most: 30 };

/** The calls of an upload to an exhibit server; between them nothing but plain data has to be kept. */
export class UploadCalls {
  readonly #session: Session;
  readonly #toEngine: ToEngine;
  /** How parts are sent, by upload: asked for again where it is not known or no longer valid. */
  readonly #instructions = new Map<string, Instruction>();

  constructor(session: Session) {
    this.#session = session;
    this.#toEngine = new ToEngine(session);
  }

  async begin(
    key: string,
    sizeBytes: number,
    partBytes: number,
    signal: AbortSignal,
  ): Promise<Upload> {
    const call = {
      method: "POST",
      path: uploadsPath,
      body: { key, sizeBytes, partBytes },
    } as const;
    const state = valid(uploadStateSchema, (await this.#session.call(call, signal)).body);
    if (state.key !== key || state.sizeBytes !== sizeBytes) throw anotherUpload();
    const { part, directParts } = state;
    this.#instructions.set(state.id, { part, directParts });
    return uploadOf(state);
  }

  async putPart(upload: Upload, part: Part, signal: AbortSignal): Promise<void> {
    const { part: instruction, directParts } = await this.#instruction(upload, signal);
    const { headers, url } = instruction;
    const { bytes, sha256 } = part;
    if (bytes.byteLength !== part.length || !Number.isSafeInteger(part.offset) || part.offset < 0) {
      throw new ExhibitError("usage.invalid", "This is not one of the upload's parts.");
    }
    if (directParts === true && (await this.#toEngine.send(upload, part, signal))) return;
    const target = this.#resolve(url.replace("{offset}", String(part.offset)));
    const said = await sendBytes(
      this.#session,
      { method: "PUT", url: target, headers, bytes, sha256 },
      signal,
    );
    // A store has nothing to say of a part that it took: this comes from something on the way, such as a sign-in page.
    if (said !== undefined) throw failureOf(200, said, target);
  }

  async listParts(upload: Upload, signal: AbortSignal): Promise<StoredPart[]> {
    const state = await this.#state(upload, signal);
    const parts = [...(state.parts ?? [])].sort((a, b) => a.offset - b.offset);
    let end = 0;
    for (const { offset, length } of parts) {
      if (offset < end || offset + length > upload.sizeBytes || length > upload.partBytes) {
        throw anotherUpload();
      }
      end = offset + length;
    }
    return parts.map(({ offset, length, sha256: hex }) => {
      return { offset, length, digest: { algorithm: "sha256", hex } };
    });
  }

  /** Asks until the proof is there: a server answers in time, with how far it is. */
  async complete(
    upload: Upload,
    sha256: string,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<Stored> {
    const path = `${pathOf(upload)}/complete`;
    for (;;) {
      const answer = await this.#session.call({ method: "POST", path, body: { sha256 } }, signal);
      if (answer.status !== 202) {
        this.#forget(upload);
        const { key, sizeBytes } = upload;
        return checkedStored(valid(storedSchema, answer.body), { key, sizeBytes, sha256 });
      }
      onProved?.(valid(provingSchema, answer.body).provedBytes);
      await pause(answer, signal);
    }
  }

  async abort(upload: Upload, signal: AbortSignal): Promise<void> {
    this.#forget(upload);
    try {
      await this.#session.call({ method: "DELETE", path: pathOf(upload) }, signal);
    } catch (error) {
      if (!hasCode(error, "not-found.upload") && !hasCode(error, "conflict.upload-closed")) {
        throw error;
      }
    }
  }

  async uploads(signal: AbortSignal): Promise<UnfinishedUpload[]> {
    const { body } = await this.#session.call({ method: "GET", path: uploadsPath }, signal);
    return valid(uploadListSchema, body).uploads.map((state) => ({
      ...uploadOf(state),
      startedAt: state.startedAt,
      receivedBytes: state.receivedBytes,
      expiresAt: state.expiresAt,
    }));
  }

  #forget(upload: Upload): void {
    this.#instructions.delete(upload.id);
    this.#toEngine.forget(upload);
  }

  async #instruction(upload: Upload, signal: AbortSignal): Promise<Instruction> {
    const known = this.#instructions.get(upload.id);
    const serverNow = Date.now() - this.#session.clockOffsetMs;
    if (known !== undefined && Date.parse(known.part.expiresAt) > serverNow) return known;
    return this.#state(upload, signal);
  }

  async #state(upload: Upload, signal: AbortSignal): Promise<UploadState> {
    const { body } = await this.#session.call({ method: "GET", path: pathOf(upload) }, signal);
    const state = valid(uploadStateSchema, body);
    const same =
      state.id === upload.id &&
      state.key === upload.key &&
      state.sizeBytes === upload.sizeBytes &&
      state.partBytes === upload.partBytes;
    if (!same) throw anotherUpload();
    const { part, directParts } = state;
    this.#instructions.set(upload.id, { part, directParts });
    return state;
  }

  /** A part's address, absolute. Plain http is for a server that is itself reached so. */
  #resolve(url: string): string {
    const own = new URL(`${this.#session.url}/`);
    if (!URL.canParse(url, own.href)) throw anotherUpload();
    const target = new URL(url, own);
    if (target.protocol === "https:" || target.origin === own.origin) return target.href;
    throw new ExhibitError(
      "policy.insecure-address",
      `The server asks to send content to ${target.host} without encryption.`,
      { hint: "Nothing was sent there. Tell the server's administrator." },
    );
  }
}

/** Waits as long as the server says. */
export async function pause(answer: Answer, signal: AbortSignal): Promise<void> {
  const said = z.coerce.number().positive().safeParse(answer.headers["retry-after"]);
  const seconds = Math.min(said.data ?? askAgainSeconds.usual, askAgainSeconds.most);
  try {
    await delay(seconds * 1000, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function pathOf(upload: Upload): string {
  return `${uploadsPath}/${encodeURIComponent(upload.id)}`;
}

function uploadOf({ id, key, sizeBytes, partBytes }: UploadState): Upload {
  return { id, key, sizeBytes, partBytes };
}

function anotherUpload(): ExhibitError {
  return new ExhibitError("unavailable.store", "The server answered about another upload.", {
    facts: { status: 200 },
    hint: "Something between this computer and the server may be changing what is sent. Try again.",
  });
}
