// An upload that a power cut ends half-way.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { start } from "./command.js";

/**
 * Uploads `file`, and kills the program with SIGKILL when half of it has arrived.
 *
 * @param {import("./command.js").Person} who
 * @param {string[]} args
 * @param {number} sizeBytes
 */
export async function killHalfWay(who, args, sizeBytes) {
  const child = start(who, [...args, "--progress", "json"]);
  const closed = once(child, "close");
  let sent = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    const event = JSON.parse(line);
    if (event.type !== "part-done") continue;
    sent += event.bytes;
    if (sent * 2 >= sizeBytes) child.kill("SIGKILL");
  }
  const [, signal] = await closed;
  if (signal !== "SIGKILL") throw new Error("The upload ended before it could be killed.");
  return sent;
}
