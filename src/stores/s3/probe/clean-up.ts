import { setTimeout as pause } from "node:timers/promises";
import type { LeftBehind } from "../../../evidence/ports/store-probe.ts";
import type { S3Answer, S3Bucket, S3Request } from "../bucket.ts";
import { entriesIn, uploadsIn } from "./answers.ts";
import { bypass, secondsLocked } from "./lock-state.ts";
import { isFine } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";
import { legalHoldText, setLock, type Version } from "./version.ts";

/** How long cleaning up may take; what is there then is told. */
const patienceMs = 40_000;

/** What the bucket keeps, which decides how things leave it. */
export interface BucketHas {
  readonly versions: boolean;
  readonly locks: boolean;
}

/** Requests that fail are answered with nothing: cleaning up goes on. */
interface Sweeper {
  send(request: S3Request): Promise<S3Answer | undefined>;
}

/**
 * Aborts all uploads and removes all versions that a check made, whether it ended, failed or was stopped. Where a lock
 * cannot be lifted, waits the seconds until it is over. Gives what could not be removed; never throws.
 */
export async function cleanUp(scratch: Scratch, has: BucketHas): Promise<LeftBehind[]> {
  const signal = AbortSignal.timeout(patienceMs);
  const send: Sweeper["send"] = (request) => insist(scratch.bucket, request, signal);
  const uploads: LeftBehind[] = [];
  for (const [uploadId, key] of await uploadsOf(scratch, { send })) {
    const aborted = await send({ method: "DELETE", key, query: { uploadId } });
    // Not there is as good as gone.
    if (aborted === undefined || (!isFine(aborted) && aborted.status !== 404))
      uploads.push({ key });
  }
  for (const version of scratch.held) {
    await setLock({ send }, version, "legal-hold", legalHoldText("OFF"));
  }
  const left = await sweep(scratch, { send }, has);
  const soon = left.length > 0 && left.every(({ lockedUntil }) => isSoon(lockedUntil, scratch));
  if (!soon) return [...uploads, ...left];
  await pause(secondsLocked * 1000, undefined, { signal }).catch(() => undefined);
  return [...uploads, ...(await sweep(scratch, { send }, has))];
}

/** A connection may have been closed by what came before, such as a refusal in mid-body. */
async function insist(
  bucket: S3Bucket,
  request: S3Request,
  signal: AbortSignal,
): Promise<S3Answer | undefined> {
  for (let tries = 1; tries <= 3; tries += 1) {
    const answer = await bucket.send(request, signal).catch(() => undefined);
    if (answer !== undefined && answer.status < 500) return answer;
    await pause(tries * 200, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

function isSoon(lockedUntil: string | undefined, scratch: Scratch): boolean {
  if (lockedUntil === undefined) return false;
  return Date.parse(lockedUntil) - scratch.now().getTime() < secondsLocked * 1000;
}

/** Those that were begun, and those whose beginning was never answered. */
async function uploadsOf(scratch: Scratch, sweeper: Sweeper): Promise<Map<string, string>> {
  const query = { uploads: "", prefix: scratch.prefix };
  const listed = await sweeper.send({ method: "GET", key: undefined, query });
  const found = listed === undefined ? [] : uploadsIn(listed);
  return new Map([...scratch.uploads, ...found]);
}

/** Removes what is there, and gives what is there still. */
async function sweep(scratch: Scratch, sweeper: Sweeper, has: BucketHas): Promise<LeftBehind[]> {
  const headers = has.locks ? bypass : {};
  for (const { key, query } of await thereNow(scratch, sweeper, has)) {
    await sweeper.send({ method: "DELETE", key, query, headers });
  }
  const left: LeftBehind[] = [];
  for (const { key, query } of await thereNow(scratch, sweeper, has)) {
    const head = await sweeper.send({ method: "HEAD", key, query });
    if (head?.status === 404) continue;
    const lockedUntil = head?.headers["x-amz-object-lock-retain-until-date"];
    left.push({ key, version: query["versionId"], lockedUntil });
  }
  return left;
}

/** The versions below the scratch prefix; where they cannot be listed, the keys that were written. */
async function thereNow(
  scratch: Scratch,
  sweeper: Sweeper,
  { versions }: BucketHas,
): Promise<Version[]> {
  const { prefix } = scratch;
  const query = versions ? { versions: "", prefix } : { "list-type": "2", prefix };
  const answer = await sweeper.send({ method: "GET", key: undefined, query });
  if (answer === undefined || !isFine(answer)) {
    return [...scratch.keys].map((key) => ({ key, query: {} }));
  }
  return entriesIn(answer).map(({ Key: key, VersionId: versionId }) => {
    return { key, query: versionId === undefined ? {} : { versionId } };
  });
}
