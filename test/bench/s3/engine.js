// A Ceph cluster on loopback, as the tests of the S3 store use one, with a user, and buckets that are new for each run.
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { output } from "./output.js";

/**
 * @typedef {object} Bucket
 * @property {string} name
 * @property {() => Promise<void>} remove with all that is in it
 *
 * @typedef {object} S3Engine
 * @property {number} pid of the process whose children the daemons are
 * @property {string} url
 * @property {boolean} isOnPort80 the CRT client of Debian's awscli ignores any other port
 * @property {NodeJS.ProcessEnv} env of whoever has the user's keys, by the names that all clients know
 * @property {string} rcloneRemote
 * @property {() => Promise<Bucket>} newBucket
 * @property {() => Promise<void>} stop
 */

const usualHttpPort = 80;

/**
 * @param {string} folder for what has to be built first
 * @returns {Promise<S3Engine>}
 */
export async function startEngine(folder) {
  const bootCeph = await loadBoot(folder);
  // The engine itself keeps no process from ending, which is right for tests.
  const alive = setInterval(() => undefined, 2 ** 30);
  const ceph = await bootCeph(usualHttpPort).catch(() => bootCeph());
  const user = await ceph.addUser();
  const remote = "lab";
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    RCLONE_CONFIG: "/dev/null",
    RCLONE_CONFIG_LAB_TYPE: "s3",
    RCLONE_CONFIG_LAB_PROVIDER: "Ceph",
    RCLONE_CONFIG_LAB_ACCESS_KEY_ID: user.accessKeyId,
    RCLONE_CONFIG_LAB_SECRET_ACCESS_KEY: user.secretAccessKey,
    RCLONE_CONFIG_LAB_ENDPOINT: ceph.url,
    RCLONE_CONFIG_LAB_FORCE_PATH_STYLE: "true",
  };
  // rclone 1.60 ends with LoadCustomCABundleError where this is set.
  delete (/** @type {NodeJS.ProcessEnv} */ (env)["AWS_CA_BUNDLE"]);
  return {
    pid: ceph.pid,
    url: ceph.url,
    isOnPort80: new URL(ceph.url).port === "",
    env,
    rcloneRemote: remote,
    async newBucket() {
      const name = `bench-${randomBytes(4).toString("hex")}`;
      await output(["rclone", "mkdir", `${remote}:${name}`], env);
      return {
        name,
        async remove() {
          await output(["rclone", "purge", `${remote}:${name}`, "--transfers", "16"], env);
          await ceph.collectGarbage();
        },
      };
    },
    async stop() {
      clearInterval(alive);
      await ceph.close();
    },
  };
}

/**
 * The tests' way to boot it, which Node cannot load as it stands.
 *
 * @param {string} folder
 * @returns {Promise<typeof import("../../support/ceph.ts").bootCeph>}
 */
async function loadBoot(folder) {
  const support = fileURLToPath(new URL("../../support/", import.meta.url));
  const outfile = path.join(folder, "ceph.mjs");
  await build({
    entryPoints: [path.join(support, "ceph.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
    // It starts the keeper that lies beside it.
    define: { "import.meta.url": JSON.stringify(pathToFileURL(path.join(support, "x")).href) },
  });
  const { bootCeph } = await import(pathToFileURL(outfile).href);
  await rm(outfile);
  return bootCeph;
}
