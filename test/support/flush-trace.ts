import path from "node:path";

/** The system calls that `findUnflushed` has to see, for `strace -f -y -s 40 -e trace=...`. */
export const flushCalls =
  "write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,openat,link,linkat,rename,renameat2,mkdir,ftruncate,unlink,rmdir";

export interface Claims {
  /** How often something was claimed. */
  readonly claims: number;
  /** What a power cut at one of those moments could have taken: files and names that were changed and not flushed. */
  readonly unflushed: readonly string[];
}

/**
 * Reads a trace and finds what was not yet flushed when the process claimed something: that is what a power cut would
 * take although somebody was told that it is safe.
 *
 * @param counts - whether a path is one of those that must last
 * @param claim - a call, as strace writes it, by which the process tells somebody that all is safe
 */
export function findUnflushed(
  trace: string,
  counts: (path: string) => boolean,
  claim: RegExp,
): Claims {
  const changedAt = new Map<string, number>();
  const running = new Map<string, { call: string; at: number }>();
  const unflushed = new Set<string>();
  let claims = 0;
  let at = 0;

  const change = (what: string): void => {
    if (counts(what)) changedAt.set(what, at);
  };
  const flushed = (what: string, since: number): void => {
    for (const [changed, when] of changedAt) {
      const isIt = changed === what || (changed.endsWith("/") && path.dirname(changed) === what);
      if (isIt && when <= since) changedAt.delete(changed);
    }
  };
  const ended = (call: string, startedAt: number): void => {
    if (call.includes("= -1 ")) return;
    const [, name = ""] = /^(\w+)\(/.exec(call) ?? [];
    const [, file = ""] = /^\w+\(\d+<([^>]*)>/.exec(call) ?? [];
    const names = [...call.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text);
    const [first = "", second = ""] = names;
    if (/^f(?:data)?sync$/.test(name)) flushed(file, startedAt);
    else if (/^p?writev?(?:64)?$|^ftruncate$/.test(name)) change(file);
    else if (name === "mkdir") change(`${first}/`);
    else if (name === "openat" && call.includes("O_EXCL")) change(`${first}/`);
    else if (name.startsWith("link")) change(`${second}/`);
    else if (name === "unlink" || name === "rmdir") {
      changedAt.delete(first);
      changedAt.delete(`${first}/`);
    } else if (name.startsWith("rename")) {
      for (const [changed, when] of [...changedAt]) {
        if (changed !== first && !changed.startsWith(`${first}/`)) continue;
        changedAt.delete(changed);
        if (changed !== `${first}/`) changedAt.set(second + changed.slice(first.length), when);
      }
      change(`${second}/`);
    }
  };

  for (const line of trace.split("\n")) {
    const [, thread = "", call = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    at += 1;
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call);
    if (resumed === null && claim.test(call)) {
      claims += 1;
      for (const changed of changedAt.keys()) unflushed.add(changed);
    }
    if (call.endsWith("<unfinished ...>")) {
      running.set(thread, { call: call.replace(/ *<unfinished \.\.\.>$/, ""), at });
    } else if (resumed !== null) {
      const begun = running.get(thread);
      if (begun !== undefined) ended(begun.call + (resumed[1] ?? ""), begun.at);
    } else {
      ended(call, at);
    }
  }
  return { claims, unflushed: [...unflushed] };
}
