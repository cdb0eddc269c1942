// Keeps the daemons of one engine: node engine-keeper.js FOLDER. Starts and ends them as it is told on stdin, one JSON line at
// a time, and tells on stdout what started and what ended. When stdin ends, because the test is done with it or its process is
// gone, it ends them all and removes the folder.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, rmSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

const [folder = ""] = process.argv.slice(2);
const logs = path.join(folder, "log");
mkdirSync(logs, { recursive: true });

/** @type {Map<string, import("node:child_process").ChildProcess>} */
const running = new Map();

/** @param {Readonly<Record<string, unknown>>} words */
function tell(words) {
  process.stdout.write(`${JSON.stringify(words)}\n`);
}

/**
 * @param {string} name
 * @param {readonly string[]} argv
 */
function start(name, [program = "", ...args]) {
  const log = openSync(path.join(logs, `${name}.out`), "a");
  // In a group of its own, so that its workers end with it.
  const child = spawn(program, args, { stdio: ["ignore", log, log], detached: true });
  running.set(name, child);
  child.once("spawn", () => {
    tell({ started: name, pid: child.pid });
  });
  child.once("error", (error) => {
    running.delete(name);
    tell({ ended: name, how: error.message });
  });
  child.once("exit", (code, signal) => {
    running.delete(name);
    tell({ ended: name, how: signal ?? `exit code ${String(code)}` });
  });
}

/** @param {string} name */
async function kill(name) {
  const child = running.get(name);
  if (child?.pid === undefined) return;
  const gone = once(child, "exit");
  process.kill(-child.pid, "SIGKILL");
  await gone;
}

// A terminal's Ctrl-C is for the test; what follows from it arrives as the end of stdin.
process.on("SIGINT", () => {});
// Nobody is there to read any more.
process.stdout.on("error", () => {});

for await (const line of createInterface({ input: process.stdin })) {
  const word = JSON.parse(line);
  if (word.start !== undefined) start(word.start, word.argv);
  if (word.kill !== undefined) await kill(word.kill);
}
await Promise.all([...running.keys()].map(kill));
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
process.exit();
