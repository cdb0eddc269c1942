import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import type { DoctorFinding } from "../../evidence/ports/doctor.ts";
import { formatDuration } from "../../evidence/quantities.ts";

const mib = 1024 * 1024;
const hashedBytes = 96 * mib;
/** A recording as people send them, in bytes. */
const example = 10_000_000_000;
const oldestNode = [20, 19] as const;

/** The Node that this program runs on. */
export function examineNode(version: string, platform: string, arch: string): DoctorFinding {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const isFine = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  const words = `Node ${version.replace(/^v/, "")} on ${platform} ${arch}`;
  return isFine
    ? { id: "node", verdict: "ok", words }
    : {
        id: "node",
        verdict: "will-not-work",
        words,
        remedy: `Install Node ${oldestNode.join(".")} or later.`,
        code: "policy.unsupported",
      };
}

/** How fast this machine works out a SHA-256, from memory: a faster disk or line does not help beyond it. */
export function examineHashSpeed(): DoctorFinding {
  const block = Buffer.alloc(8 * mib, 7);
  const hash = createHash("sha256");
  hash.update(block);
  const startedAt = performance.now();
  for (let done = 0; done < hashedBytes; done += block.length) hash.update(block);
  hash.digest();
  const bytesASecond = hashedBytes / ((performance.now() - startedAt) / 1000);
  const words = `${Math.round(bytesASecond / mib)} MiB/s; a file of 10 GB takes ${formatDuration(Math.ceil(example / bytesASecond))}`;
  return { id: "hash-speed", verdict: "ok", words };
}

/** ffmpeg marks what an exhibit server shows; nothing else needs it. */
export async function examineFfmpeg(signal: AbortSignal): Promise<DoctorFinding> {
  try {
    const { stdout } = await promisify(execFile)("ffmpeg", ["-version"], {
      signal,
      timeout: 10_000,
    });
    const [, version = "of an unknown version"] = /^ffmpeg version (\S+)/.exec(stdout) ?? [];
    return { id: "ffmpeg", verdict: "ok", words: `ffmpeg ${version}` };
  } catch {
    signal.throwIfAborted();
    return {
      id: "ffmpeg",
      verdict: "ok",
      words: "not installed; only exhibit serve needs it",
      remedy: "Where exhibit serve is to run: apt-get install -y --no-install-recommends ffmpeg",
    };
  }
}
