// One large file; many of some size; very many small ones: sent by all.
import path from "node:path";
import { interleave, median } from "../rounds.js";
import { best, compare, measures, row, valuesOf, withGoal } from "../rows.js";
import { bare, copy, curl, digest, exhibitSender, rclone, tus } from "../senders.js";
import { concurrency, GiB, KiB, MiB, partBytes } from "../settings.js";
import { makeFiles } from "../sources.js";
import { checkReceipts } from "../receipts.js";

/**
 * @typedef {import("../rig.js").Rig} Rig
 * @typedef {import("../rig.js").Transport} Transport
 * @typedef {import("../rows.js").Row} Row
 * @typedef {import("../rows.js").Samples} Samples
 * @typedef {import("../settings.js").Form} Form
 * @typedef {{ rows: Row[], samples: Samples }} Measured
 */

const rssLimitMiB = 150 + (concurrency * partBytes) / MiB;

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Form} form
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<Measured>}
 */
export async function oneFile(rig, transport, form, plan) {
  const workload = `one file of ${sizeOf(form.oneFileBytes)}, ${transport}`;
  const source = await sourceOf(rig, "one-file", 1, form.oneFileBytes);
  const all = await senders(rig, transport, source);
  const samples = await interleave([...all, digest(source), copy(rig, source)], plan);
  const rows = compared(samples, workload).map((one) => {
    if (one.measure !== "wall (s)") return one;
    return withGoal(one, "<= 1.6 x floor (1.25 is the limit)", one.toFloor, (x) => x <= 1.6);
  });
  return {
    samples,
    rows: [
      ...rows,
      ...["tus", "rclone"].map((peer) => {
        const one = compare(samples, workload, `wall, beside ${peer} (s)`, "wall", { peer });
        return withGoal(one, `< ${peer}`, one.toPeer, (x) => x < 1);
      }),
      compare(samples, workload, "wall, beside curl to nginx, for scale (s)", "wall", {
        peer: "curl",
      }),
      ...floors(samples, workload),
      clientCpu(samples, workload),
    ],
  };
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Form} form
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<Measured>}
 */
export async function manyFiles(rig, transport, form, plan) {
  const workload = `${form.manyFiles} x 16 MiB, ${transport}`;
  const source = await sourceOf(rig, "many-files", form.manyFiles, 16 * MiB);
  const all = await senders(rig, transport, source);
  const samples = await interleave([...all, digest(source), copy(rig, source)], plan);
  const scale = compare(samples, workload, "wall, beside curl to nginx, for scale (s)", "wall", {
    peer: "curl",
  });
  return { samples, rows: [...compared(samples, workload), scale, ...floors(samples, workload)] };
}

/**
 * The bare sender, which has each file made durable by itself, and rclone, which paces itself, are given fewer files; their
 * figures are taken so many times.
 *
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Form} form
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<Measured>}
 */
export async function smallFiles(rig, transport, form, plan) {
  const workload = `${form.smallFiles} x 10 KiB, ${transport}`;
  const source = await sourceOf(rig, "small-files", form.smallFiles, 10 * KiB);
  const fewer = await sourceOf(rig, "few-files", form.fewFiles, 10 * KiB);
  const server = await rig.exhibit(transport);
  const check = async (/** @type {string} */ state) => ({
    receipts: await checkReceipts(
      path.join(state, "receipts"),
      source,
      await server.receiptKey(),
      "whole",
    ),
  });
  const all = await senders(rig, transport, source, { check, fewer });
  const samples = await interleave([...all, digest(source), copy(rig, source)], plan);
  const receipts = Math.min(...valuesOf(samples, "exhibit", "receipts"));
  const peers = ["tus", "rclone"].map((peer) => {
    const times = peer === "tus" ? 3 : 1;
    const seconds = compare(samples, workload, "", "wall", { peer });
    const perSecond = (/** @type {number | null} */ wall) =>
      wall === null ? null : form.smallFiles / wall;
    const one = row(workload, `files a second, beside ${peer}`, form.smallFiles / seconds.value, {
      peer: perSecond(seconds.peer),
      peerName: seconds.peerName,
      toPeer: seconds.toPeer === null ? null : 1 / seconds.toPeer,
    });
    return withGoal(
      one,
      times === 1 ? `>= ${peer}` : `>= ${times} x ${peer}`,
      one.toPeer,
      (x) => x >= times,
    );
  });
  return {
    samples,
    rows: [
      ...compared(samples, workload),
      ...peers,
      compare(samples, workload, "wall, beside curl to nginx, for scale (s)", "wall", {
        peer: "curl",
      }),
      ...floors(samples, workload),
      withGoal(
        row(workload, "files with their signed receipt", receipts),
        `all ${form.smallFiles}`,
        receipts,
        (count) => count === form.smallFiles,
      ),
    ],
  };
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {import("../sources.js").Source} source
 * @param {{ check?: (state: string) => Promise<Record<string, number>>, fewer?: import("../sources.js").Source }} [options]
 */
async function senders(rig, transport, source, { check, fewer = source } = {}) {
  const there = (/** @type {string} */ program) => !rig.notInstalled.includes(program);
  return [
    await exhibitSender(rig, transport, source, check),
    ofFewer(await bare(rig, transport, fewer), source, fewer),
    await tus(rig, transport, source),
    ...(there("rclone") ? [ofFewer(await rclone(rig, transport, fewer), source, fewer)] : []),
    ...(there("nginx") && there("curl") ? [await curl(rig, transport, source)] : []),
  ];
}

/**
 * A candidate that sends fewer files, with what it would take for all of them.
 *
 * @param {import("../rounds.js").Candidate} one
 * @param {import("../sources.js").Source} source
 * @param {import("../sources.js").Source} fewer
 * @returns {import("../rounds.js").Candidate}
 */
function ofFewer(one, source, fewer) {
  const times = source.files.length / fewer.files.length;
  return {
    ...one,
    async run(round) {
      const cost = await one.run(round);
      const { wall, clientCpu, serverCpu = 0 } = cost;
      return {
        ...cost,
        wall: wall * times,
        clientCpu: clientCpu * times,
        serverCpu: serverCpu * times,
      };
    },
  };
}

/**
 * Each measure beside the bare sender and the better of the two peers that resume or check something.
 *
 * @param {Samples} samples
 * @param {string} workload
 * @returns {Row[]}
 */
function compared(samples, workload) {
  return measures.map(([measure, key]) => {
    const peer = best(samples, key, ["tus", "rclone"]);
    const one = compare(samples, workload, measure, key, { floor: "bare sender", peer });
    if (key !== "clientRss") return one;
    return withGoal(
      one,
      `<= ${rssLimitMiB} (150 + concurrency x part)`,
      one.value,
      (x) => x <= rssLimitMiB,
    );
  });
}

/**
 * @param {Samples} samples
 * @param {string} workload
 * @returns {Row[]}
 */
function floors(samples, workload) {
  return ["openssl dgst", "cp + sync"].map((floor) =>
    compare(samples, workload, `wall, beside ${floor} (s)`, "wall", { floor }),
  );
}

/**
 * @param {Samples} samples
 * @param {string} workload
 * @returns {Row}
 */
function clientCpu(samples, workload) {
  const bareOnes = valuesOf(samples, "bare sender", "clientCpu");
  const digests = valuesOf(samples, "openssl dgst", "clientCpu");
  const own = valuesOf(samples, "exhibit", "clientCpu");
  const limits = bareOnes.map((cpu, round) => cpu + 2.5 * (digests[round] ?? Number.NaN));
  const toFloor = median(own.map((cpu, round) => cpu / (limits[round] ?? Number.NaN)));
  const one = row(workload, "client CPU, beside bare + 2.5 x openssl (s)", median(own), {
    floor: median(limits),
    floorName: "bare + 2.5 x openssl",
    toFloor,
  });
  return withGoal(one, "<= floor", toFloor, (x) => x <= 1);
}

/**
 * @param {Rig} rig
 * @param {string} name
 * @param {number} count
 * @param {number} sizeBytes
 * @returns {Promise<import("../sources.js").Source>}
 */
export function sourceOf(rig, name, count, sizeBytes) {
  const folder = path.join(rig.folder, "sources", name);
  return rig.once(folder, () => makeFiles(folder, count, sizeBytes));
}

/** @param {number} bytes */
export function sizeOf(bytes) {
  return bytes % GiB === 0 ? `${bytes / GiB} GiB` : `${bytes / MiB} MiB`;
}
