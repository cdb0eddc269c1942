// Killed when nine tenths have gone up; the same command again, with every byte counted.
import { once } from "node:events";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { startCountingProxy } from "../counting-proxy.js";
import { begin, cost } from "../measure.js";
import { interleave, median } from "../rounds.js";
import { compare, row, valuesOf, withGoal } from "../rows.js";
import { digest, freshCase, uploadCommand } from "../senders.js";
import { startExhibit } from "../servers/exhibit.js";
import { freePort } from "../servers/running.js";
import { concurrency, MiB, partBytes } from "../settings.js";
import { sizeOf, sourceOf } from "./sending.js";

/** What is not content is counted, too, and allowed for: heads of requests, and what TLS adds to each byte. */
const requestsBytes = { part: 2048, run: 64 * 1024 };
const tlsShare = 0.002;

/**
 * @param {import("../rig.js").Rig} rig
 * @param {import("../rig.js").Transport} transport
 * @param {import("../settings.js").Form} form
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<import("./sending.js").Measured>}
 */
export async function resume(rig, transport, form, plan) {
  const source = await sourceOf(rig, "one-file", 1, form.oneFileBytes);
  const workload = `resume after SIGKILL at 90 % of ${sizeOf(source.bytes)}, ${transport}`;
  const port = await freePort();
  const proxy = await startCountingProxy(port);
  const server = await startExhibit(path.join(rig.folder, `resume-${transport}`), {
    tls: transport === "https" ? rig.certificates : undefined,
    front: `${transport}://127.0.0.1:${proxy.port}`,
    port,
  });
  try {
    const samples = await interleave([fullUpload(), killedUpload(), digest(source)], plan);
    const tlsBytes = transport === "https" ? source.bytes * tlsShare : 0;
    return { samples, rows: rowsOf(samples, workload, source.bytes, tlsBytes) };
  } finally {
    await server.stop();
    await proxy.stop();
  }

  /** @returns {import("../rounds.js").Candidate} */
  function fullUpload() {
    return {
      name: "full upload",
      run: () => cost(uploadCommand(source, freshCase()), { env: machine(), server: server.pid }),
      clean,
    };
  }

  /** @returns {import("../rounds.js").Candidate} */
  function killedUpload() {
    return {
      name: "resumed upload",
      async run() {
        const command = uploadCommand(source, freshCase());
        const before = proxy.bytesUp();
        const reached = proxy.whenUp(before + 0.9 * source.bytes);
        const child = begin(command, machine());
        child.stderr.resume();
        const closed = once(child, "close");
        await Promise.race([reached, closed]);
        child.kill("SIGKILL");
        await closed;
        if (child.signalCode !== "SIGKILL") throw new Error("It ended before it could be killed.");
        const resumed = await cost(command, { env: machine(), server: server.pid });
        return { ...resumed, resentBytes: proxy.bytesUp() - before - source.bytes };
      },
      clean,
    };
  }

  function machine() {
    return { ...server.env, EXHIBIT_STATE_DIR: path.join(rig.folder, "state") };
  }

  async function clean() {
    await rm(path.join(rig.folder, "state"), { recursive: true, force: true });
    for (const name of await readdir(server.content)) {
      if (name !== ".uploads") await rm(path.join(server.content, name), { recursive: true });
    }
  }
}

/**
 * @param {import("../rows.js").Samples} samples
 * @param {string} workload
 * @param {number} sizeBytes
 * @param {number} tlsBytes
 */
function rowsOf(samples, workload, sizeBytes, tlsBytes) {
  const inFlight = concurrency * partBytes;
  // Parts are short at first, in both runs.
  const parts = sizeBytes / partBytes + 16 * concurrency;
  const heads = parts * requestsBytes.part + 2 * requestsBytes.run + tlsBytes;
  const resent = median(valuesOf(samples, "resumed upload", "resentBytes"));
  const own = valuesOf(samples, "resumed upload", "wall");
  const whole = valuesOf(samples, "full upload", "wall");
  const hashing = valuesOf(samples, "openssl dgst", "wall");
  const limits = whole.map((wall, round) => 0.1 * wall + (hashing[round] ?? Number.NaN));
  const toFloor = median(own.map((wall, round) => wall / (limits[round] ?? Number.NaN)));
  const wall = row(workload, "wall, beside 0.10 x full + re-hash (s)", median(own), {
    floor: median(limits),
    floorName: "0.10 x full + openssl dgst",
    toFloor,
  });
  return [
    withGoal(
      row(workload, "bytes sent again, heads and TLS counted (MiB)", resent / MiB),
      `<= ${inFlight / MiB} in flight + ${(heads / MiB).toFixed(1)} for heads and TLS`,
      resent,
      (bytes) => bytes <= inFlight + heads,
    ),
    withGoal(wall, "<= floor", toFloor, (x) => x <= 1),
    compare(samples, workload, "client CPU (s)", "clientCpu", {
      name: "resumed upload",
      floor: "full upload",
    }),
    compare(samples, workload, "client peak RSS (MiB)", "clientRss", {
      name: "resumed upload",
      floor: "full upload",
    }),
  ];
}
