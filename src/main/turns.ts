import path from "node:path";
import { ExhibitError } from "../evidence/errors.ts";
import { sha256Of } from "../evidence/sha256.ts";
import { takeLock } from "../platform/file-lock.ts";
import { makeStateFolder } from "../platform/state-folder.ts";
import type { StoreMachine } from "../stores/registry.ts";

const longestWaitMs = 60_000;
/** How soon whoever waits for a turn notices that it is told to stop. */
const noticeMs = 500;

/** Turns that the processes of this machine take by a lock in the state folder; one that dies lets go of it. */
export function turnsIn(stateDir: string): StoreMachine["inTurn"] {
  return async (name, work, signal) => {
    makeStateFolder(stateDir);
    // The name holds an address, which is no name for a file.
    const file = path.join(stateDir, `turn-${sha256Of(name).slice(0, 16)}.lock`);
    const until = performance.now() + longestWaitMs;
    let release;
    do {
      signal.throwIfAborted();
      release = await takeLock(file, noticeMs);
    } while (release === undefined && performance.now() < until);
    if (release === undefined) {
      throw new ExhibitError(
        "conflict.locked",
        "Another command has been busy with the sign-in for a minute.",
        { hint: "Let it finish, or end it if it hangs; then try again." },
      );
    }
    try {
      return await work();
    } finally {
      release();
    }
  };
}
