// One large file, sent to a simulated Box on loopback by all.
import { interleave } from "../rounds.js";
import { best, compare, measures, row, valuesOf, withGoal } from "../rows.js";
import { digest } from "../senders.js";
import { concurrency, MiB, partBytes } from "../settings.js";
import { sizeOf, sourceOf } from "../workloads/sending.js";
import { exhibitToBox, rcloneToBox, sdkToBox } from "./senders.js";

const sdk = "box-node-sdk";
const rssLimitMiB = 150 + (concurrency * partBytes) / MiB;

/**
 * @param {import("../rig.js").Rig} rig
 * @param {import("../rig.js").Transport} transport
 * @param {import("../settings.js").Form} form
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<import("../workloads/sending.js").Measured>}
 */
export async function boxOneFile(rig, transport, form, plan) {
  const workload = `one file of ${sizeOf(form.boxFileBytes)} to Box, ${transport}`;
  const source = await sourceOf(rig, "box-one-file", 1, form.boxFileBytes);
  const setting = { transport, folder: rig.folder, source };
  const hasRclone = transport === "https" && !rig.notInstalled.includes("rclone");
  const samples = await interleave(
    [
      exhibitToBox(setting),
      sdkToBox(setting),
      ...(hasRclone ? [rcloneToBox(setting)] : []),
      digest(source),
    ],
    plan,
  );
  const beside = (
    /** @type {string} */ what,
    /** @type {string} */ key,
    /** @type {string} */ peer,
  ) => compare(samples, workload, what, key, { peer });
  const wall = beside(`wall, beside ${sdk} (s)`, "wall", sdk);
  const cpu = beside(`client CPU, beside ${sdk} (s)`, "clientCpu", sdk);
  const rclone = beside("wall, beside rclone (s)", "wall", "rclone");
  const rss = Math.max(...valuesOf(samples, "exhibit", "clientRss"));
  const receipts = Math.min(...valuesOf(samples, "exhibit", "receipts"));
  return {
    samples,
    rows: [
      ...measures.map(([measure, key]) =>
        compare(samples, workload, measure, key, { peer: best(samples, key, [sdk, "rclone"]) }),
      ),
      withGoal(wall, "<= 1/2 of the SDK's", wall.toPeer, (x) => x <= 1 / 2),
      withGoal(cpu, "< the SDK's", cpu.toPeer, (x) => x < 1),
      ...(hasRclone ? [withGoal(rclone, "< rclone", rclone.toPeer, (x) => x < 1)] : []),
      withGoal(
        row(workload, "client peak RSS at most (MiB)", rss),
        `<= 150 + ${(concurrency * partBytes) / MiB}`,
        rss,
        (x) => x <= rssLimitMiB,
      ),
      withGoal(
        row(workload, "files with their signed receipt", receipts),
        "1",
        receipts,
        (x) => x === 1,
      ),
    ],
  };
}
