// One large file, and many smaller ones, sent to Ceph on loopback by all.
import { interleave, median } from "../rounds.js";
import { best, compare, measures, row, valuesOf, withGoal } from "../rows.js";
import { digest } from "../senders.js";
import { KiB } from "../settings.js";
import { sizeOf, sourceOf } from "../workloads/sending.js";
import { startEngine } from "./engine.js";
import { awsToS3, bareToS3, exhibitToS3, rcloneToS3, s3cmdToS3 } from "./senders.js";

/**
 * @typedef {import("../rig.js").Rig} Rig
 * @typedef {import("../rows.js").Row} Row
 * @typedef {import("../rows.js").Samples} Samples
 * @typedef {import("../settings.js").Form} Form
 * @typedef {import("../rounds.js").Plan} Plan
 * @typedef {import("../workloads/sending.js").Measured} Measured
 */

const floor = "bare signed sender";
const crt = "awscli CRT";
const peers = [crt, "awscli", "rclone", "s3cmd"];

/**
 * @param {Rig} rig
 * @param {"http" | "https"} _
 * @param {Form} form
 * @param {Plan} plan
 * @returns {Promise<Measured>}
 */
export async function s3OneFile(rig, _, form, plan) {
  const workload = `one file of ${sizeOf(form.s3FileBytes)} to S3`;
  const source = await sourceOf(rig, "s3-one-file", 1, form.s3FileBytes);
  const samples = await interleave([...(await senders(rig, source)), digest(source)], plan);
  const wall = compare(samples, workload, "wall, beside the bare sender (s)", "wall", { floor });
  const fast = compare(samples, workload, "wall, beside awscli CRT (s)", "wall", { peer: crt });
  const memory = compare(
    samples,
    workload,
    "client peak RSS, beside awscli CRT (MiB)",
    "clientRss",
    {
      peer: crt,
    },
  );
  return {
    samples,
    rows: [
      ...compared(samples, workload),
      withGoal(fast, "<= CRT", fast.toPeer, (x) => x <= 1),
      withGoal(wall, "<= 1.1 x floor", wall.toFloor, (x) => x <= 1.1),
      clientCpu(samples, workload),
      withGoal(memory, "<= 1/3 of CRT's", memory.toPeer, (x) => x <= 1 / 3),
    ],
  };
}

/**
 * @param {Rig} rig
 * @param {"http" | "https"} _
 * @param {Form} form
 * @param {Plan} plan
 * @returns {Promise<Measured>}
 */
export async function s3SmallFiles(rig, _, form, plan) {
  const workload = `${form.s3SmallFiles} x 256 KiB to S3`;
  const source = await sourceOf(rig, "s3-small-files", form.s3SmallFiles, 256 * KiB);
  const samples = await interleave([...(await senders(rig, source)), digest(source)], plan);
  const wall = compare(samples, workload, "wall, beside rclone (s)", "wall", { peer: "rclone" });
  const cpu = compare(samples, workload, "client CPU, beside awscli CRT (s)", "clientCpu", {
    peer: crt,
  });
  const receipts = Math.min(...valuesOf(samples, "exhibit", "receipts"));
  return {
    samples,
    rows: [
      ...compared(samples, workload),
      withGoal(wall, "< rclone, 16 transfers", wall.toPeer, (x) => x < 1),
      withGoal(cpu, "< CRT", cpu.toPeer, (x) => x < 1),
      withGoal(
        row(workload, "files with their signed receipt", receipts),
        `all ${form.s3SmallFiles}`,
        receipts,
        (count) => count === form.s3SmallFiles,
      ),
    ],
  };
}

/**
 * @param {Rig} rig
 * @param {import("../sources.js").Source} source
 */
async function senders(rig, source) {
  const { folder } = rig;
  const there = (/** @type {string} */ program) => !rig.notInstalled.includes(program);
  const engine = await rig.started("ceph", () => startEngine(folder));
  const setting = { engine, folder, source };
  return [
    exhibitToS3(setting),
    bareToS3(setting),
    ...(there("awscli") && engine.isOnPort80 ? [awsToS3(setting, "crt")] : []),
    ...(there("awscli") ? [awsToS3(setting, "default")] : []),
    rcloneToS3(setting),
    ...(there("s3cmd") ? [s3cmdToS3(setting)] : []),
  ];
}

/**
 * Each measure beside the bare sender and the best of the peers.
 *
 * @param {Samples} samples
 * @param {string} workload
 * @returns {Row[]}
 */
function compared(samples, workload) {
  return measures.map(([measure, key]) =>
    compare(samples, workload, measure, key, { floor, peer: best(samples, key, peers) }),
  );
}

/**
 * The whole file's digest is worked out, too: one more than the bare sender has.
 *
 * @param {Samples} samples
 * @param {string} workload
 * @returns {Row}
 */
function clientCpu(samples, workload) {
  const digests = valuesOf(samples, "openssl dgst", "clientCpu");
  const own = valuesOf(samples, "exhibit", "clientCpu");
  const limits = valuesOf(samples, floor, "clientCpu").map(
    (cpu, round) => cpu + 1.3 * (digests[round] ?? Number.NaN),
  );
  const toFloor = median(own.map((cpu, round) => cpu / (limits[round] ?? Number.NaN)));
  const one = row(workload, "client CPU, beside bare + 1.3 x openssl (s)", median(own), {
    floor: median(limits),
    floorName: "bare + 1.3 x openssl",
    toFloor,
  });
  return withGoal(one, "<= floor", toFloor, (x) => x <= 1);
}
