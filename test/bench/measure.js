// What a program costs: wall time, CPU seconds and peak memory, of a client from start to end and of a server meanwhile.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";

/**
 * @typedef {object} Cost
 * @property {number} wall seconds from start to end of the client
 * @property {number} clientCpu seconds, user and system, with its children
 * @property {number} clientRss MiB at its highest
 * @property {number} [serverCpu] seconds, user and system, while the client ran
 * @property {number} [serverRss] MiB at its highest while the client ran
 */

/** Of the kernel's clock ticks, in which /proc counts. */
const ticksPerSecond = 100;

/** Whoever takes longer hangs. */
const patienceMs = 60 * 60_000;

/** Process groups of what runs now. @type {Set<number>} */
const groups = new Set();
let ended = false;

/** Ends whatever is being measured, and lets nothing begin any more. */
export function endMeasured() {
  ended = true;
  for (const group of groups) process.kill(-group, "SIGKILL");
}

/**
 * Starts a program in a process group of its own, which {@link endMeasured} ends.
 *
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} env
 */
export function begin([program = "", ...args], env) {
  if (ended) throw new Error("The bench is being stopped.");
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"], detached: true });
  const group = child.pid;
  if (group === undefined) throw new Error(`${program} cannot be started.`);
  groups.add(group);
  const timer = setTimeout(() => process.kill(-group, "SIGKILL"), patienceMs);
  child.once("close", () => {
    clearTimeout(timer);
    groups.delete(group);
  });
  return child;
}

/**
 * Runs a program to its end, under `time`, which counts its children, too. Its output goes nowhere.
 *
 * @param {readonly string[]} command
 * @param {{ env?: NodeJS.ProcessEnv, server?: number }} [options] `server`: process id of whoever serves it
 * @returns {Promise<Cost>}
 * @throws Error with the last of what it said, when it fails
 */
export async function cost(command, { env = process.env, server } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-cost-"));
  const file = path.join(folder, "cost");
  try {
    const before = server === undefined ? 0 : await cpuOf(server);
    if (server !== undefined) await forgetPeak(server);
    const began = performance.now();
    const child = begin(["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", file, ...command], env);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      said = `${said}${text}`.slice(-2000);
    });
    const [code] = await once(child, "close");
    const wall = (performance.now() - began) / 1000;
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${String(code)}: ${said}`);
    const [user = 0, system = 0, kibibytes = 0] = (await readFile(file, "utf8"))
      .trim()
      .split(" ")
      .map(Number);
    const client = { wall, clientCpu: user + system, clientRss: kibibytes / 1024 };
    if (server === undefined) return client;
    const serverCpu = (await cpuOf(server)) - before;
    return { ...client, serverCpu, serverRss: await peakOf(server) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * CPU seconds of a process and its living children so far.
 *
 * @param {number} pid
 * @returns {Promise<number>}
 */
async function cpuOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // Behind the name, which may hold anything: from field 3 on. 14 and 15 are its own, 16 and 17 its ended children's.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const children = await Promise.all((await childrenOf(pid)).map(cpuOf));
  return ticks / ticksPerSecond + children.reduce((sum, one) => sum + one, 0);
}

/**
 * @param {number} pid
 * @returns {Promise<number[]>}
 */
async function childrenOf(pid) {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** @param {number} pid */
async function forgetPeak(pid) {
  await Promise.all([pid, ...(await childrenOf(pid))].map((one) => forget(one)));
}

/** @param {number} pid */
async function forget(pid) {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

/**
 * Peak resident memory since {@link forgetPeak}, in MiB, of a process and its children together.
 *
 * @param {number} pid
 * @returns {Promise<number>}
 */
async function peakOf(pid) {
  const peaks = await Promise.all(
    [pid, ...(await childrenOf(pid))].map(async (one) => {
      const status = await readFile(`/proc/${one}/status`, "utf8");
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
    }),
  );
  return peaks.reduce((sum, one) => sum + one, 0);
}
