import { ExhibitError } from "../../evidence/errors.ts";
import { lastsAs, type Retention, type RetentionPeriod } from "../../evidence/retention.ts";
import type { S3Answer, S3Request } from "./bucket.ts";
import { s3Capabilities } from "./capabilities.ts";
import { readHeaders } from "./encryption.ts";
import { failureOf } from "./failures.ts";
import { objectOf, type Tried } from "./objects.ts";
import { legalHoldIn, objectLockIn } from "./probe/answers.ts";
import { legalHoldText, retentionText, setLock, versionIn, type Version } from "./probe/version.ts";

/** An object as it lies there, and how it is retained. */
interface Seen {
  readonly version: Version;
  /** Changes with the content. */
  readonly is: string;
  readonly period: RetentionPeriod | undefined;
}

/**
 * Locks objects that are there, by setting on them what a bucket's default has not given them yet. Locks are set behind the upload,
 * not in its headers, because that does on every engine with Object Lock, and for an upload that began without.
 */
export class Retaining {
  readonly #store: Tried;
  #locks: Promise<boolean> | undefined;

  constructor(store: Tried) {
    this.#store = store;
  }

  /** As {@link Store.retain}. */
  async retain(key: string, asked: Retention, signal: AbortSignal): Promise<Retention> {
    signal.throwIfAborted();
    const object = objectOf(this.#store, key);
    await this.#requireAble(asked, signal);
    const before = await this.#see(object, signal);
    const period = periodToSet(before.period, asked.period);
    const { retentionBy } = this.#store.enforced;
    if (period !== undefined && (retentionBy === "headers" || retentionBy === "put-retention")) {
      const mode = period.mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE";
      await this.#set(
        before.version,
        "retention",
        retentionText(new Date(period.until).toISOString(), mode),
        signal,
      );
    }
    if (asked.legalHold && !(await this.#isHeld(before.version, signal))) {
      await this.#set(before.version, "legal-hold", legalHoldText("ON"), signal);
    }
    const after = await this.#see(object, signal);
    if (after.is !== before.is) throw changedBy();
    return {
      ...(after.period === undefined ? {} : { period: after.period }),
      legalHold: asked.legalHold && (await this.#isHeld(after.version, signal)),
    };
  }

  /**
   * Nothing may be set where no lock is known of: there are engines that answer 200 and make the lock's text the object. What was
   * tried out does not do by itself: it may have been another bucket.
   *
   * @throws ExhibitError `policy.unsupported`
   */
  async #requireAble({ period, legalHold }: Retention, signal: AbortSignal): Promise<void> {
    const { retention } = s3Capabilities(this.#store.enforced);
    const mayBe = (retention.period || period === undefined) && (retention.legalHold || !legalHold);
    if (mayBe && (await this.#bucketLocks(signal))) return;
    throw new ExhibitError("policy.unsupported", "This bucket does not retain objects so.", {
      hint: "Give it Object Lock, then try it out again: exhibit store check NAME.",
    });
  }

  /** The bucket's own word, asked once. */
  async #bucketLocks(signal: AbortSignal): Promise<boolean> {
    const asking = (this.#locks ??= this.#askBucket(signal));
    try {
      return await asking;
    } catch (error) {
      if (this.#locks === asking) this.#locks = undefined;
      throw error;
    }
  }

  async #askBucket(signal: AbortSignal): Promise<boolean> {
    const { bucket } = this.#store;
    const query = { "object-lock": "" };
    const answer = await bucket.send({ method: "GET", key: undefined, query }, signal);
    if (answer.status >= 500) throw failureOf(answer);
    return answer.status < 300 && objectLockIn(answer) !== undefined;
  }

  async #see(object: string, signal: AbortSignal): Promise<Seen> {
    const headers = readHeaders(this.#store.bucket);
    const answer = await this.#succeed({ method: "HEAD", key: object, headers }, signal);
    const version = versionIn(object, answer);
    const { etag = "", "content-length": length = "" } = answer.headers;
    const is = JSON.stringify([version.query, etag, length]);
    return { version, is, period: periodIn(answer) };
  }

  async #isHeld({ key, query }: Version, signal: AbortSignal): Promise<boolean> {
    const request = { method: "GET", key, query: { ...query, "legal-hold": "" } } as const;
    const answer = await this.#store.bucket.send(request, signal);
    // An object that never had one is refused rather than told of.
    if (answer.status === 404 || answer.status === 400) return false;
    if (answer.status >= 300) throw failureOf(answer);
    return legalHoldIn(answer) === "ON";
  }

  async #set(
    version: Version,
    lock: "retention" | "legal-hold",
    text: string,
    signal: AbortSignal,
  ): Promise<void> {
    await setLock({ send: (request) => this.#succeed(request, signal) }, version, lock, text);
  }

  async #succeed(request: S3Request, signal: AbortSignal): Promise<S3Answer> {
    const answer = await this.#store.bucket.send(request, signal);
    if (answer.status === 404) {
      throw new ExhibitError("not-found.content", "The store holds nothing under this key.");
    }
    if (answer.status >= 300) throw failureOf(answer);
    return answer;
  }
}

function periodIn({ headers }: S3Answer): RetentionPeriod | undefined {
  const until = Date.parse(headers["x-amz-object-lock-retain-until-date"] ?? "");
  const mode = headers["x-amz-object-lock-mode"]?.toLowerCase();
  if (Number.isNaN(until) || (mode !== "governance" && mode !== "compliance")) return undefined;
  return { mode, until: new Date(until).toISOString() };
}

/** What is to be set so that both the lock that is there and the one that is asked for are kept; undefined when it is so already. */
function periodToSet(
  there: RetentionPeriod | undefined,
  asked: RetentionPeriod | undefined,
): RetentionPeriod | undefined {
  if (asked === undefined || lastsAs(there, asked)) return undefined;
  if (there === undefined) return asked;
  return {
    mode: there.mode === "compliance" ? there.mode : asked.mode,
    until: Date.parse(there.until) > Date.parse(asked.until) ? there.until : asked.until,
  };
}

function changedBy(): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    "The store holds another object than before it was told to retain it.",
    { hint: "Keep the source. Tell whoever administers the store." },
  );
}
