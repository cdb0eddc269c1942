import { objectLockIn } from "./answers.ts";
import { isFine } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";
import { versionIn } from "./version.ts";

/** What a bucket says of Object Lock. Only `enabled` allows calls that change a lock: elsewhere they may overwrite the object. */
export interface LockState {
  readonly enabled: boolean;
  /** How each new object is locked unless it is told otherwise. */
  readonly byDefault: { readonly mode: string; readonly period: string } | undefined;
}

/** Asks the bucket. A 200 alone means nothing: there are stores that give it with an empty body. */
export async function lockStateOf(scratch: Scratch): Promise<LockState> {
  const query = { "object-lock": "" };
  const answer = await scratch.send({ method: "GET", key: undefined, query });
  const found = isFine(answer) ? objectLockIn(answer) : undefined;
  return { enabled: found !== undefined, byDefault: found?.byDefault };
}

/** For how long a check locks what it tries: long enough to see it held, short enough to leave no trace. */
export const secondsLocked = 15;

/** The headers that lock an object for seconds, in the mode that a right can lift. */
export function shortLock(now: Date): {
  readonly until: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const until = new Date(now.getTime() + secondsLocked * 1000).toISOString();
  const headers = {
    "x-amz-object-lock-mode": "GOVERNANCE",
    "x-amz-object-lock-retain-until-date": until,
  };
  return { until, headers };
}

/** Lifts such a lock, for those who have the right. */
export const bypass = { "x-amz-bypass-governance-retention": "true" };

/**
 * Sees to it that nothing stays locked for the bucket's default time: each PUT of the check says its own, shorter one.
 * Uploads in parts cannot, on every store; gives whether they may be completed here, because their lock can be lifted.
 */
export async function avoidDefaultLock(scratch: Scratch, state: LockState): Promise<boolean> {
  if (state.byDefault === undefined) return true;
  scratch.lockEachPut(() => shortLock(scratch.now()).headers);
  const key = scratch.key("lift");
  const stored = await scratch.put(key, Buffer.from("lift"));
  if (!isFine(stored) || state.byDefault.mode !== "GOVERNANCE") return false;
  const version = versionIn(key, stored);
  return isFine(await scratch.send({ method: "DELETE", ...version, headers: bypass }));
}
