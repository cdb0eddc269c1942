// Peak memory does not grow with the file.
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { cost } from "../measure.js";
import { interleave } from "../rounds.js";
import { compare, withGoal } from "../rows.js";
import { freshCase, uploadCommand } from "../senders.js";
import { concurrency, MiB, partBytes } from "../settings.js";
import { makeSparse } from "../sources.js";
import { sizeOf } from "./sending.js";

/** What two runs on the same file may differ by, anyway. */
const alike = 1.1;

/**
 * @param {import("../rig.js").Rig} rig
 * @param {import("../rig.js").Transport} transport
 * @param {import("../settings.js").Form} form
 * @param {import("../rounds.js").Plan} plan
 * @returns {Promise<import("./sending.js").Measured>}
 */
export async function memory(rig, transport, form, plan) {
  const server = await rig.exhibit(transport);
  const state = path.join(rig.folder, "state");
  const folder = path.join(rig.folder, "sources", "sparse");
  await mkdir(folder, { recursive: true });
  const candidates = await Promise.all(
    form.memoryBytes.map(async (sizeBytes) => {
      const file = path.join(folder, `${sizeBytes}.bin`);
      await rig.once(file, () => makeSparse(file, sizeBytes));
      const part = { path: file, name: "", sizeBytes, sha256: "", parts: [] };
      const source = { folder, files: [part], plan: "", bytes: sizeBytes };
      return {
        name: `exhibit, ${sizeOf(sizeBytes)}`,
        run: () =>
          cost(uploadCommand(source, freshCase()), {
            env: { ...server.env, EXHIBIT_STATE_DIR: state },
            server: server.pid,
          }),
        async clean() {
          await rm(state, { recursive: true, force: true });
          for (const name of await readdir(server.content)) {
            if (name !== ".uploads") await rm(path.join(server.content, name), { recursive: true });
          }
        },
      };
    }),
  );
  const samples = await interleave(candidates, plan);
  const limit = 150 + (concurrency * partBytes) / MiB;
  const [least = 0] = form.memoryBytes;
  const rows = form.memoryBytes.map((sizeBytes) => {
    const workload = `one sparse file of ${sizeOf(sizeBytes)}, ${transport}`;
    const one = compare(samples, workload, "client peak RSS (MiB)", "clientRss", {
      name: `exhibit, ${sizeOf(sizeBytes)}`,
      floor: `exhibit, ${sizeOf(least)}`,
    });
    return withGoal(
      one,
      sizeBytes === least ? `<= ${limit}` : `<= ${limit}, and <= ${alike} x ${sizeOf(least)}`,
      one.value,
      (mebibytes) => mebibytes <= limit && (one.toFloor ?? Infinity) <= alike,
    );
  });
  return { samples, rows };
}
