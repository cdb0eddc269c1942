import { createHash } from "node:crypto";
import type { Outcome, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import { failureOf } from "../failures.ts";
import { legalHoldIn } from "./answers.ts";
import { isDone } from "./done.ts";
import { shortLock, type LockState } from "./lock-state.ts";
import { isFine, refusalOf } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";
import {
  legalHoldText,
  newestOf,
  retentionText,
  setLock,
  versionIn,
  type Version,
} from "./version.ts";

const body = Buffer.from("locked");
const bodyMd5 = { "content-md5": createHash("md5").update(body).digest("base64") };

export interface ObjectLockFound {
  readonly objectLock: "enabled" | "off" | "ignored";
  readonly retentionBy: "headers" | "bucket-default" | "put-retention" | "none";
  readonly legalHold: boolean;
  readonly findings: readonly StoreFinding[];
}

/** How the store keeps what it was told to keep: on each way there, whether it shows, and whether it holds. */
export async function checkObjectLock(
  scratch: Scratch,
  state: LockState,
  mayComplete: boolean,
): Promise<ObjectLockFound> {
  const onPut = await retentionOnPut(scratch);
  // Without the bucket's own word nothing more is tried: there, setting a lock may overwrite the object.
  const may = state.enabled && mayComplete;
  const inParts = may ? await retentionInParts(scratch) : "untested";
  const set = state.enabled ? await retentionSet(scratch, mayComplete) : "untested";
  const hold = state.enabled ? await legalHold(scratch) : "untested";
  const inherited = await inheritedBy(scratch, state, may);
  return {
    objectLock: !state.enabled
      ? onPut === "ignored"
        ? "ignored"
        : "off"
      : onPut === "enforced" || set === "enforced"
        ? "enabled"
        : "ignored",
    retentionBy: wayOf(inParts, set, inherited),
    legalHold: hold === "enforced",
    findings: [
      finding("retention-put", "Retention, in headers of a PUT", onPut),
      finding("retention-parts", "Retention, in headers of an upload in parts", inParts),
      finding("retention-set", "Retention, set on what is there", set),
      finding(
        "retention-default",
        "Retention, by the bucket's default",
        inherited,
        periodOf(state),
      ),
      finding("legal-hold", "Legal hold, set on what is there", hold),
    ],
  };
}

/** The way by which an upload in parts is retained, the surest first. */
function wayOf(inParts: Outcome, set: Outcome, inherited: Outcome): ObjectLockFound["retentionBy"] {
  // What was seen not to lock when it is set is never set, whatever headers do.
  if (set === "enforced") return inParts === "enforced" ? "headers" : "put-retention";
  return inherited === "works" ? "bucket-default" : "none";
}

function periodOf({ enabled, byDefault }: LockState): string {
  if (!enabled) return "the bucket has no Object Lock";
  return byDefault === undefined ? "none set" : `${byDefault.mode}, ${byDefault.period}`;
}

async function retentionOnPut(scratch: Scratch): Promise<Outcome> {
  const key = scratch.key("retention-put");
  const { until, headers } = shortLock(scratch.now());
  const answer = await scratch.put(key, body, { headers: { ...headers, ...bodyMd5 } });
  return isFine(answer) ? holds(scratch, versionIn(key, answer), until) : refusalOf(answer);
}

async function retentionInParts(scratch: Scratch): Promise<Outcome> {
  const key = scratch.key("retention-parts");
  const { until, headers } = shortLock(scratch.now());
  const answer = await scratch.storeInParts(key, body, { begin: headers });
  return isDone(answer) ? holds(scratch, await newestOf(scratch, key), until) : refusalOf(answer);
}

/** Set behind an upload in parts, where one may be completed: that is where it is needed. */
async function retentionSet(scratch: Scratch, mayComplete: boolean): Promise<Outcome> {
  const version = await stored(scratch, "retention-set", mayComplete);
  const { until } = shortLock(await laterThanNow(scratch, version));
  const answer = await setLock(scratch, version, "retention", retentionText(until));
  if (!isFine(answer)) return refusalOf(answer);
  return (await isUnchanged(scratch, version)) ? holds(scratch, version, until) : "ignored";
}

/** A lock may be made longer only: one second more than what there may be. */
async function laterThanNow(scratch: Scratch, version: Version): Promise<Date> {
  const locked = await untilOf(scratch, version);
  return locked === undefined ? scratch.now() : new Date(Date.parse(locked) + 1000);
}

async function legalHold(scratch: Scratch): Promise<Outcome> {
  const version = await stored(scratch, "legal-hold", false);
  scratch.willHold(version);
  const answer = await setLock(scratch, version, "legal-hold", legalHoldText("ON"));
  if (!isFine(answer)) return refusalOf(answer);
  const { key, query } = version;
  const told = await scratch.send({ method: "GET", key, query: { ...query, "legal-hold": "" } });
  const shows = legalHoldIn(told) === "ON" && (await isUnchanged(scratch, version));
  return shows && (await isKept(scratch, version)) ? "enforced" : "ignored";
}

/** What was stored in parts without a word of retention shows one. */
async function inheritedBy(scratch: Scratch, state: LockState, may: boolean): Promise<Outcome> {
  if (state.byDefault === undefined) return "absent";
  if (!may) return "untested";
  const version = await stored(scratch, "retention-default", true);
  return (await untilOf(scratch, version)) === undefined ? "ignored" : "works";
}

async function stored(scratch: Scratch, name: string, inParts: boolean): Promise<Version> {
  const key = scratch.key(name);
  const answer = await (inParts ? scratch.storeInParts(key, body) : scratch.put(key, body));
  if (!isDone(answer)) throw failureOf(answer);
  return newestOf(scratch, key);
}

/** Locked is what shows this very lock, and is still there when its removal was asked for. */
async function holds(scratch: Scratch, version: Version, until: string): Promise<Outcome> {
  const shown = await untilOf(scratch, version);
  const same = shown !== undefined && Math.abs(Date.parse(shown) - Date.parse(until)) < 1000;
  return same && (await isKept(scratch, version)) ? "enforced" : "ignored";
}

async function untilOf(scratch: Scratch, version: Version): Promise<string | undefined> {
  const { headers } = await scratch.send({ method: "HEAD", ...version });
  return headers["x-amz-object-lock-retain-until-date"];
}

async function isKept(scratch: Scratch, version: Version): Promise<boolean> {
  return !isFine(await scratch.send({ method: "DELETE", ...version }));
}

async function isUnchanged(scratch: Scratch, version: Version): Promise<boolean> {
  const answer = await scratch.send({ method: "GET", ...version });
  return isFine(answer) && answer.body.equals(body);
}

function finding(id: string, what: string, outcome: Outcome, detail?: string): StoreFinding {
  return { id, what, outcome, detail };
}
