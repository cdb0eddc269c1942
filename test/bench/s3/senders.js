// Those who send the same files to the same S3 engine, each into a bucket of its own run.
import { writeFile, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exhibit, person } from "../../../scripts/demo/command.js";
import { cost } from "../measure.js";
import { checkReceipts } from "../receipts.js";
import { freshCase } from "../senders.js";
import { machineKeyIn, program } from "../servers/exhibit.js";
import { concurrency, MiB } from "../settings.js";
import { output } from "./output.js";

/**
 * @typedef {import("../sources.js").Source} Source
 * @typedef {import("../rounds.js").Candidate} Candidate
 * @typedef {import("./engine.js").S3Engine} S3Engine
 * @typedef {import("./engine.js").Bucket} Bucket
 * @typedef {{ engine: S3Engine, folder: string, source: Source }} Setting
 */

/** Parts of all that let it be chosen; what awscli's CRT client does is its own business. */
export const s3PartBytes = 8 * MiB;
/** Of many files, by those who let it be chosen. */
export const transfers = 16;

const bareSender = fileURLToPath(new URL("../programs/bare-s3-sender.js", import.meta.url));

/**
 * @param {Setting} setting
 * @param {string} name
 * @param {(bucket: Bucket) => Promise<{ command: readonly string[], env?: NodeJS.ProcessEnv }>} prepare
 * @param {{ check?: () => Promise<Record<string, number>>, objects?: RegExp }} [more] `objects`: names of those with content
 * @returns {Candidate}
 */
function sender({ engine, source }, name, prepare, { check, objects = /\.bin$/ } = {}) {
  return {
    name,
    async run() {
      const bucket = await engine.newBucket();
      try {
        const { command, env = engine.env } = await prepare(bucket);
        const measured = await cost(command, { env, server: engine.pid });
        await requireArrived(engine, bucket, source, objects);
        return { ...measured, ...(await check?.()) };
      } finally {
        await bucket.remove();
      }
    },
  };
}

/**
 * The built program, as a machine that has sent nothing yet, to a store that was checked before (`exhibit store check`).
 *
 * @param {Setting} setting
 * @returns {Candidate}
 */
export function exhibitToS3(setting) {
  const { engine, folder, source } = setting;
  const own = path.join(folder, "s3-machine");
  const who = { env: { ...engine.env, ...person(own).env } };
  return sender(
    setting,
    "exhibit",
    async (bucket) => {
      await rm(own, { recursive: true, force: true });
      const url = `s3://${bucket.name}?endpoint=${encodeURIComponent(engine.url)}&region=us-east-1&style=path`;
      await exhibit(who, ["store", "add", "s3", url]);
      await exhibit(who, ["store", "check", "s3"]);
      const [only] = source.files;
      const what = source.files.length === 1 && only !== undefined ? only.path : source.folder;
      const flags =
        source.files.length === 1
          ? ["--concurrency", String(concurrency), "--part-size", String(s3PartBytes)]
          : ["--concurrency", String(transfers)];
      return {
        command: [
          ...[process.execPath, program, "upload", what, "--store", "s3", "--json"],
          ...["--case", freshCase(), "--initials", "B", ...flags],
        ],
        env: who.env,
      };
    },
    {
      objects: /-\d{4}\.bin$/,
      check: async () => ({
        receipts: await checkReceipts(
          path.join(own, "state", "receipts"),
          source,
          await machineKeyIn(path.join(own, "keys.json")),
          "parts",
        ),
      }),
    },
  );
}

/**
 * @param {Setting} setting
 * @returns {Candidate}
 */
export function bareToS3(setting) {
  const { engine, source } = setting;
  const atOnce = source.files.length === 1 ? concurrency : transfers;
  return sender(setting, "bare signed sender", async ({ name }) => ({
    command: [
      ...[process.execPath, bareSender, source.plan, engine.url, name],
      ...[String(atOnce), String(s3PartBytes)],
    ],
  }));
}

/**
 * Debian's awscli with its own transfers, and with those of the C runtime.
 *
 * @param {Setting} setting
 * @param {"default" | "crt"} client
 * @returns {Candidate}
 */
export function awsToS3(setting, client) {
  const { engine, folder, source } = setting;
  const config = path.join(folder, `aws-${client}.config`);
  const text = `[default]
region = us-east-1
s3 =
  preferred_transfer_client = ${client}
  ${client === "crt" ? "target_bandwidth = 10Gb/s" : `multipart_chunksize = ${s3PartBytes}`}
`;
  return sender(setting, client === "crt" ? "awscli CRT" : "awscli", async ({ name }) => {
    await writeFile(config, text);
    return {
      command: [
        ...["/usr/bin/aws", "--endpoint-url", engine.url, "s3", "cp", "--only-show-errors"],
        ...["--recursive", source.folder, `s3://${name}/`],
      ],
      env: { ...engine.env, AWS_CONFIG_FILE: config },
    };
  });
}

/**
 * @param {Setting} setting
 * @returns {Candidate}
 */
export function rcloneToS3(setting) {
  const { engine, source } = setting;
  return sender(setting, "rclone", async ({ name }) => ({
    command: [
      ...["rclone", "copy", source.folder, `${engine.rcloneRemote}:${name}`, "--no-traverse"],
      ...["--s3-no-check-bucket", "--s3-no-head", "--s3-disable-checksum"],
      ...[
        "--s3-chunk-size",
        `${s3PartBytes / MiB}M`,
        "--s3-upload-concurrency",
        String(concurrency),
      ],
      ...["--transfers", String(transfers), "--checkers", String(transfers)],
    ],
  }));
}

/**
 * @param {Setting} setting
 * @returns {Candidate}
 */
export function s3cmdToS3(setting) {
  const { engine, source } = setting;
  const { host } = new URL(engine.url);
  return sender(setting, "s3cmd", async ({ name }) => ({
    command: [
      ...["s3cmd", "--config=/dev/null", "--no-ssl", `--host=${host}`, `--host-bucket=${host}`],
      ...["--quiet", `--multipart-chunk-size-mb=${s3PartBytes / MiB}`, "--recursive"],
      ...["put", `${source.folder}/`, `s3://${name}/`],
    ],
  }));
}

/**
 * A candidate that sends half of it is not a fast one.
 *
 * @param {S3Engine} engine
 * @param {Bucket} bucket
 * @param {Source} source
 * @param {RegExp} objects names of those with content
 */
async function requireArrived(engine, { name }, source, objects) {
  const listed = await output(
    ["rclone", "lsf", "-R", "--files-only", "--format", "sp", `${engine.rcloneRemote}:${name}`],
    engine.env,
  );
  const content = listed
    .split("\n")
    .map((line) => line.split(";"))
    .filter(([, key = ""]) => objects.test(key));
  const bytes = content.reduce((sum, [size]) => sum + Number(size), 0);
  if (content.length !== source.files.length || bytes !== source.bytes) {
    throw new Error(`${name} has ${content.length} objects with ${bytes} bytes, not all of it.`);
  }
}
