// A folder of very many entries: what a dry run of it costs, and how soon an upload of it sends something.
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { begin, cost } from "../measure.js";
import { interleave, median } from "../rounds.js";
import { compare, row, valuesOf, withGoal } from "../rows.js";
import { freshCase, rcloneFlags } from "../senders.js";
import { program } from "../servers/exhibit.js";
import { concurrency } from "../settings.js";
import { makeEntries } from "../sources.js";

const rssLimitMiB = 250;
const firstRequestLimit = 2;
/** Cost per file from one size to the next: as good as flat. */
const flat = 1.25;
const patienceMs = 120_000;

/**
 * @typedef {import("../rig.js").Rig} Rig
 * @typedef {import("../rig.js").Transport} Transport
 */

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {import("../settings.js").Form} form
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<import("./sending.js").Measured>}
 */
export async function entries(rig, transport, form, plan) {
  const [few, some, most] = form.entries;
  const folders = new Map();
  for (const count of form.entries) {
    const folder = path.join(rig.folder, "sources", `entries-${count}`);
    await rig.once(folder, () => makeEntries(folder, count));
    folders.set(count, folder);
  }
  const largest = folders.get(most);
  const candidates = [
    ...(await Promise.all(
      form.entries.map((count) => dryRun(rig, transport, count, folders.get(count))),
    )),
    await firstContent(rig, transport, largest),
    { name: "find", run: () => cost(["find", largest, "-printf", "%p %s %T@\n"]) },
    ...(rig.notInstalled.includes("rclone") ? [] : [await rcloneDryRun(rig, transport, largest)]),
  ];
  const samples = await interleave(candidates, plan);
  const workload = `dry run of ${most.toLocaleString("en")} entries, ${transport}`;
  const beside = { name: `exhibit, ${most}`, floor: "find", peer: "rclone" };
  const memory = compare(samples, workload, "client peak RSS (MiB)", "clientRss", beside);
  return {
    samples,
    rows: [
      compare(samples, workload, "wall (s)", "wall", beside),
      compare(samples, workload, "client CPU (s)", "clientCpu", beside),
      compare(samples, workload, "server CPU (s)", "serverCpu", { ...beside, floor: undefined }),
      withGoal(memory, `<= ${rssLimitMiB}`, memory.value, (x) => x <= rssLimitMiB),
      first(samples, workload, "first request about files (s)", `exhibit, ${most}`),
      first(
        samples,
        `upload of ${most.toLocaleString("en")} entries, ${transport}`,
        "first content under way (s)",
        "exhibit upload",
      ),
      perFile(samples, workload, "wall per file (µs)", "wall", [few, some, most]),
      perFile(samples, workload, "client CPU per file (µs)", "clientCpu", [few, some, most]),
    ],
  };
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {number} count
 * @param {string} folder
 * @returns {Promise<import("../rounds.js").Candidate>}
 */
async function dryRun(rig, transport, count, folder) {
  const server = await rig.exhibit(transport);
  return {
    name: `exhibit, ${count}`,
    async run() {
      const began = Date.now();
      const command = [...uploadOf(folder), "--dry-run"];
      const measured = await cost(command, { env: machine(rig, server), server: server.pid });
      return { ...measured, first: secondsTo(await firstRequest(server.log, began), began) };
    },
    clean: () => rm(path.join(rig.folder, "state"), { recursive: true, force: true }),
  };
}

/**
 * An upload that is killed as soon as something of a file has gone up.
 *
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {string} folder
 * @returns {Promise<import("../rounds.js").Candidate>}
 */
async function firstContent(rig, transport, folder) {
  const server = await rig.exhibit(transport);
  return {
    name: "exhibit upload",
    async run() {
      const began = Date.now();
      const child = begin(uploadOf(folder), machine(rig, server));
      child.stderr.resume();
      const closed = once(child, "close");
      let at;
      while (at === undefined && child.exitCode === null && Date.now() < began + patienceMs) {
        await delay(50);
        at = await firstRequest(server.log, began, isContent);
      }
      child.kill("SIGKILL");
      await closed;
      const wall = (Date.now() - began) / 1000;
      return { wall, clientCpu: Number.NaN, clientRss: Number.NaN, first: secondsTo(at, began) };
    },
    clean: () => rm(path.join(rig.folder, "state"), { recursive: true, force: true }),
  };
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {string} folder
 * @returns {Promise<import("../rounds.js").Candidate>}
 */
async function rcloneDryRun(rig, transport, folder) {
  const server = await rig.peer("rclone", transport);
  const command = [
    "rclone",
    "copy",
    "--dry-run",
    folder,
    ":webdav:",
    ...rcloneFlags(server.url, transport),
  ];
  return {
    name: "rclone",
    run: () =>
      cost(command, { env: { ...process.env, RCLONE_CONFIG: "/dev/null" }, server: server.pid }),
  };
}

/** @param {string} folder */
function uploadOf(folder) {
  return [
    ...[process.execPath, program, "upload", folder, "--case", freshCase(), "--json"],
    ...["--concurrency", String(concurrency)],
  ];
}

/**
 * @param {Rig} rig
 * @param {import("../servers/exhibit.js").ExhibitServer} server
 */
function machine(rig, server) {
  return { ...server.env, EXHIBIT_STATE_DIR: path.join(rig.folder, "state") };
}

/** @typedef {{ method: string, route: string, time: string, ms: number }} Logged a line of the server's log */

/**
 * When the first request arrived that is about files, not about who asks: it changes something or looks something up.
 *
 * @param {Logged} line
 */
function isAboutFiles({ method, route }) {
  return method !== "GET" && route.startsWith("/v1/");
}

/**
 * Names no route that a later version may have instead: whatever carries content is not asked for by name.
 *
 * @param {Logged} line
 */
function isContent({ method, route }) {
  const names = ["/v1/exhibits", "/v1/exhibits/lookup", "/v1/uploads"];
  return isAboutFiles({ method, route, time: "", ms: 0 }) && !names.includes(route);
}

/**
 * @param {string} log
 * @param {number} since ms
 * @param {(line: Logged) => boolean} isWanted
 * @returns {Promise<number | undefined>} ms
 */
async function firstRequest(log, since, isWanted = isAboutFiles) {
  for (const text of (await readFile(log, "utf8")).split("\n")) {
    if (!text.includes('"request"') || !text.endsWith("}")) continue;
    const line = /** @type {Logged} */ (JSON.parse(text));
    // What is logged is when the answer had gone.
    const arrived = Date.parse(line.time) - line.ms;
    if (arrived >= since && isWanted(line)) return arrived;
  }
  return undefined;
}

/**
 * @param {number | undefined} at
 * @param {number} began
 */
function secondsTo(at, began) {
  return at === undefined ? Number.NaN : (at - began) / 1000;
}

/**
 * @param {import("../rows.js").Samples} samples
 * @param {string} workload
 * @param {string} measure
 * @param {string} name
 */
function first(samples, workload, measure, name) {
  const seconds = median(valuesOf(samples, name, "first"));
  const one = row(workload, measure, seconds);
  return withGoal(one, `<= ${firstRequestLimit}`, seconds, (x) => x <= firstRequestLimit);
}

/**
 * What one more file costs between the two larger sizes, beside what it costs between the two smaller ones.
 *
 * @param {import("../rows.js").Samples} samples
 * @param {string} workload
 * @param {string} measure
 * @param {string} key
 * @param {readonly [number, number, number]} counts
 */
function perFile(samples, workload, measure, key, [few, some, most]) {
  const of = (/** @type {number} */ count) => valuesOf(samples, `exhibit, ${count}`, key);
  const step = (/** @type {number} */ from, /** @type {number} */ to) =>
    of(to).map((value, round) => ((value - (of(from)[round] ?? Number.NaN)) / (to - from)) * 1e6);
  const [early, late] = [step(few, some), step(some, most)];
  const toFloor = median(late.map((value, round) => value / (early[round] ?? Number.NaN)));
  const one = row(workload, `${measure}, from ${some} to ${most}`, median(late), {
    floor: median(early),
    floorName: `from ${few} to ${some}`,
    toFloor,
  });
  return withGoal(one, `flat: <= ${flat} x floor`, toFloor, (x) => x <= flat);
}
