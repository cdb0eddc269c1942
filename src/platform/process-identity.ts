import { readFileSync } from "node:fs";

/**
 * What tells a process from a later one with the same number: the machine's start and the process's own, as Linux
 * has them (`proc(5)`, `stat` field 22). Empty where the system does not say; undefined when it is not running.
 */
export function startOf(pid: number): string | undefined {
  if (!isRunning(pid)) return undefined;
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 2 is the command in brackets and may hold anything; field 3 comes behind the last bracket.
    const startTicks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    return `${boot}:${startTicks}`;
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as someone else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
