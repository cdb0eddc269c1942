import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

const everyMs = 200;

/** The most memory that a process has had in RAM at once until it ended, in MiB: the kernel's own high-water mark (proc(5), VmHWM). */
export async function peakMemoryOf(
  { pid = 0 }: ChildProcess,
  ended: Promise<unknown>,
): Promise<number> {
  let peak = 0;
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, everyMs);
  await ended.finally(() => {
    clearInterval(timer);
  });
  return Math.round(peak);
}
