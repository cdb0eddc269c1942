import { createHash, type Hash } from "node:crypto";
import type { WholeDigests } from "../evidence/digest.ts";
import type { Capabilities } from "../evidence/ports/store.ts";

/** Which digests are wanted beside the SHA-256. */
export type WantedDigests = Pick<Capabilities, "comparesSha1">;

/** The digests of a whole file, worked out from one read of its bytes, in order. */
export class ContentHash {
  readonly #sha256 = createHash("sha256");
  readonly #sha1: Hash | undefined;

  constructor({ comparesSha1 }: WantedDigests) {
    this.#sha1 = comparesSha1 ? createHash("sha1") : undefined;
  }

  update(bytes: Uint8Array): void {
    this.#sha256.update(bytes);
    this.#sha1?.update(bytes);
  }

  /** Of all bytes so far; nothing more can be added. */
  digests(): WholeDigests {
    const sha256 = this.#sha256.digest("hex");
    return this.#sha1 === undefined ? { sha256 } : { sha256, sha1: this.#sha1.digest("hex") };
  }
}
