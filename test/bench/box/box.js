// The simulated Box of the tests, in a process of its own, new for each run: it keeps everything in memory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Agent, request } from "undici";
import { partBytes } from "../settings.js";

const script = fileURLToPath(new URL("../../../scripts/box-simulator.js", import.meta.url));

/**
 * @typedef {object} Box
 * @property {number} pid of the process whose child it is
 * @property {string} api
 * @property {string} upload
 * @property {string} authorize
 * @property {string | null} proxy leads Box's own names to it, for programs whose addresses are built in
 * @property {string | null} caFile
 * @property {string} clientId
 * @property {string} clientSecret
 * @property {{ officer: string }} users
 * @property {string} developerToken
 * @property {string} folderId
 * @property {() => Promise<void>} stop
 */

/**
 * @param {import("../rig.js").Transport} transport
 * @returns {Promise<Box>}
 */
export async function startBox(transport) {
  const tls = transport === "https" ? ["--tls"] : [];
  const child = spawn(
    process.execPath,
    [script, "--no-validate", "--any-upload-host", "--part-size", String(partBytes), ...tls],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      ...JSON.parse(line),
      pid: child.pid,
      async stop() {
        child.kill("SIGTERM");
        await closed;
      },
    };
  }
  throw new Error("The simulated Box does not start.");
}

/**
 * What lies in a folder, at any depth: names and sizes of files.
 *
 * @param {Box} box
 * @param {string} [folderId]
 * @returns {Promise<{ name: string, size: number }[]>}
 */
export async function filesIn(box, folderId = box.folderId) {
  const url = `${box.api}/2.0/folders/${folderId}/items?limit=1000&fields=id,type,name,size`;
  const ca = box.caFile === null ? undefined : await readFile(box.caFile);
  const { body } = await request(url, {
    headers: { authorization: `Bearer ${box.developerToken}` },
    dispatcher: new Agent({ connect: { ca } }),
  });
  const { entries } = /** @type {any} */ (await body.json());
  const found = [];
  for (const { type, id, name, size } of entries) {
    if (type === "folder") found.push(...(await filesIn(box, id)));
    else found.push({ name, size });
  }
  return found;
}
