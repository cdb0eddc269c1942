// Those who send the same file to the same simulated Box, each to one that is new.
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exhibit, person } from "../../../scripts/demo/command.js";
import { cost } from "../measure.js";
import { checkReceipts } from "../receipts.js";
import { freshCase } from "../senders.js";
import { machineKeyIn, program } from "../servers/exhibit.js";
import { concurrency } from "../settings.js";
import { filesIn, startBox } from "./box.js";

/**
 * @typedef {import("../sources.js").Source} Source
 * @typedef {import("../rounds.js").Candidate} Candidate
 * @typedef {import("../rig.js").Transport} Transport
 * @typedef {import("./box.js").Box} Box
 * @typedef {{ transport: Transport, folder: string, source: Source }} Setting
 */

const sdk = fileURLToPath(new URL("../programs/box-sdk.js", import.meta.url));

/**
 * @param {Setting} setting
 * @param {string} name
 * @param {(box: Box) => Promise<{ command: readonly string[], env?: NodeJS.ProcessEnv }>} prepare
 * @param {() => Promise<Record<string, number>>} [check]
 * @returns {Candidate}
 */
function sender({ transport, source }, name, prepare, check) {
  return {
    name,
    async run() {
      const box = await startBox(transport);
      try {
        const { command, env = process.env } = await prepare(box);
        const measured = await cost(command, { env, server: box.pid });
        await requireArrived(box, source);
        return { ...measured, ...(await check?.()) };
      } finally {
        await box.stop();
      }
    },
  };
}

/**
 * The built program, as a machine that has sent nothing yet, logged in before.
 *
 * @param {Setting} setting
 * @returns {Candidate}
 */
export function exhibitToBox(setting) {
  const { folder, source } = setting;
  const own = path.join(folder, "box-machine");
  return sender(
    setting,
    "exhibit",
    async (box) => {
      await rm(own, { recursive: true, force: true });
      const ca = box.caFile === null ? {} : { EXHIBIT_CA_FILE: box.caFile };
      const env = { ...person(own).env, ...ca };
      const who = { env };
      const url = `box:${box.folderId}?api=${box.api}&upload=${box.upload}&authorize=${box.authorize}`;
      await exhibit(who, ["store", "add", "box", url]);
      await exhibit(
        who,
        ["login", "box", ...inUserName(box), "--client-id", box.clientId, "--secret-stdin"],
        box.clientSecret,
      );
      return {
        command: [
          ...[process.execPath, program, "upload", fileOf(source), "--store", "box", "--json"],
          ...["--case", freshCase(), "--initials", "B", "--concurrency", String(concurrency)],
        ],
        env,
      };
    },
    async () => ({
      receipts: await checkReceipts(
        path.join(own, "state", "receipts"),
        source,
        await machineKeyIn(path.join(own, "keys.json")),
        "transport",
      ),
    }),
  );
}

/** @param {Box} box */
function inUserName(box) {
  return ["--box-ccg", `user:${box.users.officer}`];
}

/**
 * @param {Setting} setting
 * @returns {Candidate}
 */
export function sdkToBox(setting) {
  const { source } = setting;
  return sender(setting, "box-node-sdk", (box) => {
    const ca = box.caFile === null ? {} : { NODE_EXTRA_CA_CERTS: box.caFile };
    return Promise.resolve({
      command: [
        ...[process.execPath, sdk, fileOf(source), String(source.bytes)],
        ...[box.api, box.upload, box.folderId],
      ],
      env: { ...process.env, ...ca, BOX_TOKEN: box.developerToken },
    });
  });
}

/**
 * Its addresses of Box are built in: it is led here by a proxy, over TLS only.
 *
 * @param {Setting} setting
 * @returns {Candidate}
 */
export function rcloneToBox(setting) {
  const { folder, source } = setting;
  const config = path.join(folder, "rclone-box.conf");
  return sender(setting, "rclone", async (box) => {
    const { developerToken, folderId } = box;
    await writeFile(
      config,
      `[b]\ntype = box\naccess_token = ${developerToken}\nroot_folder_id = ${folderId}\n`,
    );
    return {
      command: [
        ...["rclone", "--config", config, "--ca-cert", box.caFile ?? "", "copyto"],
        ...[fileOf(source), `b:${path.basename(fileOf(source))}`],
      ],
      env: { ...process.env, HTTPS_PROXY: box.proxy ?? "" },
    };
  });
}

/** @param {Source} source */
function fileOf(source) {
  const [only] = source.files;
  if (only === undefined) throw new Error("There is no file to send.");
  return only.path;
}

/**
 * A candidate that sends half of it is not a fast one.
 *
 * @param {Box} box
 * @param {Source} source
 */
async function requireArrived(box, source) {
  const content = (await filesIn(box)).filter(({ name }) => name.endsWith(".bin"));
  const bytes = content.reduce((sum, { size }) => sum + size, 0);
  if (content.length !== 1 || bytes !== source.bytes) {
    throw new Error(`Box has ${content.length} files with ${bytes} bytes, not all of it.`);
  }
}
