import type { PartAddress } from "../../evidence/ports/direct-parts.ts";
import { ExhibitError, familyOf } from "../../evidence/errors.ts";
import type { Part, Upload } from "../../evidence/ports/store.ts";
import { isLoopback } from "../../evidence/web-address.ts";
import { partAddressSchema, uploadsPath } from "../../protocol/uploads.ts";
import { sendElsewhere, type Elsewhere } from "./data-plane.ts";
import type { Session } from "./session.ts";
import { valid } from "./valid-answer.ts";

/** How long an engine that was reached before may be out of reach until parts go through the server. */
const usualPatienceMs = 30_000;

/**
 * Sends parts straight to the engine behind a server. Where that does not work from here (no way to it, a certificate that is not
 * trusted, answers that make no sense), an upload goes on through the server.
 */
export class ToEngine {
  readonly #session: Session;
  readonly #patienceMs: number;
  /** Ids of uploads that go through the server. */
  readonly #givenUp = new Set<string>();
  #wasReached = false;
  #failingSince: number | undefined;

  constructor(session: Session, patienceMs = usualPatienceMs) {
    this.#session = session;
    this.#patienceMs = patienceMs;
  }

  /**
   * Gives whether the engine has taken the part; if not, it is to be sent through the server.
   *
   * @throws ExhibitError `integrity.mismatch` where other bytes arrived, `unavailable.*` where a later try may work; what the
   * server says when it is asked for the address
   */
  async send(upload: Upload, part: Part, signal: AbortSignal): Promise<boolean> {
    for (let mayAskAgain = true; !this.#givenUp.has(upload.id); mayAskAgain = false) {
      const address = await this.#addressOf(upload, part, signal);
      if (address === undefined) return false;
      const answer = isFit(address, this.#session) ? await this.#put(address, part, signal) : "no";
      if (answer === "taken") return true;
      // An address may have grown too old on its way: the next one is new.
      if (answer === "forbidden" && mayAskAgain) continue;
      this.#givenUp.add(upload.id);
    }
    return false;
  }

  /** Forgets an upload that has ended. */
  forget(upload: Upload): void {
    this.#givenUp.delete(upload.id);
  }

  async #addressOf(
    upload: Upload,
    { offset, length, sha256 }: Part,
    signal: AbortSignal,
  ): Promise<PartAddress | undefined> {
    const path = `${uploadsPath}/${encodeURIComponent(upload.id)}/part-addresses`;
    const call = { method: "POST", path, body: { offset, length, sha256 } } as const;
    const { status, body } = await this.#session.call(call, signal);
    return status === 204 ? undefined : valid(partAddressSchema, body);
  }

  async #put(
    { url, headers }: PartAddress,
    { bytes }: Part,
    signal: AbortSignal,
  ): Promise<"taken" | "forbidden" | "no"> {
    let answer: Elsewhere;
    try {
      answer = await sendElsewhere(this.#session, { url, headers, bytes }, signal);
    } catch (error) {
      signal.throwIfAborted();
      return this.#failed(error);
    }
    const { status, body } = answer;
    if (status === 200 && body.length === 0 && answer.headers["etag"] !== undefined) {
      this.#wasReached = true;
      this.#failingSince = undefined;
      return "taken";
    }
    const { failureOf } = await import("../s3/failures.ts");
    const failure = failureOf(answer);
    const isOfEngine = "s3Code" in failure.facts && body.length > 0;
    if (isOfEngine && /^(?:integrity\.mismatch|unavailable\.busy)$/.test(failure.code))
      throw failure;
    if (status === 403) return "forbidden";
    return status >= 500 ? this.#failed(failure) : "no";
  }

  /** An engine that was reached before may be so again: for a while, that is waited for. */
  #failed(error: unknown): "no" {
    if (!(error instanceof ExhibitError)) throw error;
    if (!this.#wasReached || familyOf(error.code) !== "unavailable") return "no";
    const now = Date.now();
    this.#failingSince ??= now;
    if (now - this.#failingSince < this.#patienceMs) throw error;
    return "no";
  }
}

/** Nothing goes over a network in the clear; and an address on this very computer is meant by a server on it alone. */
function isFit({ url }: PartAddress, session: Session): boolean {
  const { hostname, protocol } = new URL(url);
  if (isLoopback(hostname)) return isLoopback(new URL(session.url).hostname);
  return protocol === "https:";
}
