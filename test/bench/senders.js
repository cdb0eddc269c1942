// Those who send the same files: exhibit, the bare sender, and the peers; and what does the least that must be done.
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cost } from "./measure.js";
import { program } from "./servers/exhibit.js";
import { concurrency, partBytes } from "./settings.js";
import { writeFile } from "node:fs/promises";

/**
 * @typedef {import("./rig.js").Rig} Rig
 * @typedef {import("./rig.js").Transport} Transport
 * @typedef {import("./sources.js").Source} Source
 * @typedef {import("./rounds.js").Candidate} Candidate
 */

const bareSender = fileURLToPath(new URL("programs/bare-sender.js", import.meta.url));
const tusClient = fileURLToPath(new URL("programs/tus-client.js", import.meta.url));

let runs = 0;

/** A case that nothing has been sent to yet. */
export function freshCase() {
  runs += 1;
  return `BENCH/${runs}`;
}

/**
 * The built program. Each run is a machine that has sent nothing yet, to a fresh case.
 *
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Source} source
 * @param {(stateFolder: string) => Promise<Record<string, number>>} [check] looks at what the run has left on its machine
 * @returns {Promise<Candidate>}
 */
export async function exhibitSender(rig, transport, source, check = async () => ({})) {
  const server = await rig.exhibit(transport);
  const state = path.join(rig.folder, "state");
  return {
    name: "exhibit",
    async run() {
      const env = { ...server.env, EXHIBIT_STATE_DIR: state };
      const measured = await cost(uploadCommand(source, freshCase()), { env, server: server.pid });
      await requireArrived(source, server.content, /-\d{4}\.bin$/);
      return { ...measured, ...(await check(state)) };
    },
    async clean() {
      await rm(state, { recursive: true, force: true });
      await emptied(server.content);
    },
  };
}

/**
 * @param {Source} source
 * @param {string} caseReference
 */
export function uploadCommand(source, caseReference) {
  const [only] = source.files;
  const what = source.files.length === 1 && only !== undefined ? only.path : source.folder;
  return [
    ...[process.execPath, program, "upload", what, "--case", caseReference, "--json"],
    ...["--concurrency", String(concurrency), "--part-size", String(partBytes)],
  ];
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Source} source
 * @returns {Promise<Candidate>}
 */
export async function bare(rig, transport, source) {
  const server = await rig.exhibit(transport);
  return {
    name: "bare sender",
    async run() {
      const env = { ...process.env, BARE_TOKEN: await server.token() };
      const measured = await cost(
        [
          ...[process.execPath, bareSender, source.plan, server.url, freshCase()],
          ...[String(concurrency), String(partBytes), ...trusted(rig, transport)],
        ],
        { env, server: server.pid },
      );
      await requireArrived(source, server.content, /-\d{4}\.bin$/);
      return measured;
    },
    clean: () => emptied(server.content),
  };
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Source} source
 * @returns {Promise<Candidate>}
 */
export async function tus(rig, transport, source) {
  const server = await rig.peer("tus", transport);
  return {
    name: "tus",
    async run() {
      const measured = await cost(
        [
          ...[process.execPath, tusClient, source.plan, server.url, String(concurrency)],
          ...[String(partBytes), ...trusted(rig, transport)],
        ],
        { server: server.pid },
      );
      await requireArrived(source, server.content, /^[^.]+$/);
      return measured;
    },
    clean: () => emptied(server.content),
  };
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Source} source
 * @returns {Promise<Candidate>}
 */
export async function rclone(rig, transport, source) {
  // A folder that is new to its server, too, which remembers what lay in the others.
  let folders = 0;
  const server = await rig.peer("rclone", transport);
  return {
    name: "rclone",
    async run() {
      folders += 1;
      const target = `:webdav:run-${folders}`;
      const measured = await cost(
        ["rclone", "copy", source.folder, target, ...rcloneFlags(server.url, transport)],
        { env: { ...process.env, RCLONE_CONFIG: "/dev/null" }, server: server.pid },
      );
      await requireArrived(source, server.content, /\.bin$/);
      return measured;
    },
    clean: () => emptied(server.content),
  };
}

/**
 * @param {string} url
 * @param {Transport} transport
 */
export function rcloneFlags(url, transport) {
  return [
    ...["--webdav-url", url, "--transfers", String(concurrency)],
    ...(transport === "https" ? ["--no-check-certificate"] : []),
  ];
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 * @param {Source} source
 * @returns {Promise<Candidate>}
 */
export async function curl(rig, transport, source) {
  const server = await rig.peer("nginx", transport);
  const list = path.join(rig.folder, `curl-${transport}`);
  return {
    name: "curl",
    async run() {
      const lines = source.files.map(
        (file) => `upload-file = "${file.path}"\nurl = "${server.url}/${file.name}"\n`,
      );
      await writeFile(list, lines.join(""));
      const measured = await cost(
        [
          ...["curl", "--silent", "--show-error", "--fail", "--header", "Expect:"],
          ...["--parallel", "--parallel-max", String(concurrency), "--config", list],
          ...(transport === "https" ? ["--cacert", rig.certificates.ca] : []),
        ],
        { server: server.pid },
      );
      await requireArrived(source, server.content, /\.bin$/);
      return measured;
    },
    clean: () => emptied(server.content),
  };
}

/**
 * `openssl dgst -sha256` over the same bytes.
 *
 * @param {Source} source
 * @returns {Candidate}
 */
export function digest(source) {
  return {
    name: "openssl dgst",
    run: () =>
      cost([
        "sh",
        "-c",
        'find "$0" -type f -print0 | xargs -0 openssl dgst -sha256 >/dev/null',
        source.folder,
      ]),
  };
}

/**
 * `cp`, then `sync`.
 *
 * @param {Rig} rig
 * @param {Source} source
 * @returns {Candidate}
 */
export function copy(rig, source) {
  const target = path.join(rig.folder, "copied");
  return {
    name: "cp + sync",
    run: () =>
      cost(["sh", "-c", 'cp -r --reflink=never "$0" "$1" && sync -f "$1"', source.folder, target]),
    clean: () => rm(target, { recursive: true, force: true }),
  };
}

/**
 * @param {Rig} rig
 * @param {Transport} transport
 */
function trusted(rig, transport) {
  return transport === "https" ? [rig.certificates.ca] : [];
}

/**
 * A candidate that sends half of it is not a fast one.
 *
 * @param {Source} source
 * @param {string} folder
 * @param {RegExp} names of files with content
 */
async function requireArrived(source, folder, names) {
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !names.test(entry.name)) continue;
    files += 1;
    bytes += (await stat(path.join(entry.parentPath, entry.name))).size;
  }
  if (files !== source.files.length || bytes !== source.bytes) {
    throw new Error(`${folder} has ${files} files with ${bytes} bytes, not all that was sent.`);
  }
}

/** @param {string} folder */
async function emptied(folder) {
  for (const name of await readdir(folder)) {
    if (name === ".uploads") continue;
    await rm(path.join(folder, name), { recursive: true, force: true });
  }
  await mkdir(folder, { recursive: true });
}
