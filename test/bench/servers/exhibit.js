// The built exhibit server, with a machine that is enrolled at it, and a token for a sender of the bench's own.
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exhibit, person } from "../../../scripts/demo/command.js";
import { freePort, startServer } from "./running.js";

export const program = fileURLToPath(new URL("../../../bin/exhibit.js", import.meta.url));

/**
 * @typedef {object} ExhibitServer
 * @property {string} url
 * @property {number} pid
 * @property {number} port
 * @property {string} content the folder that exhibits end up in
 * @property {string} log its log, a JSON line a request
 * @property {NodeJS.ProcessEnv} env of the enrolled machine
 * @property {() => Promise<string>} token good for some minutes, of another identity than the machine's
 * @property {() => Promise<unknown>} receiptKey the server's own key, with which it signs
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} folder its own
 * @param {{ tls?: import("../certificates.js").Certificates | undefined, front?: string | undefined, port?: number }} options
 * `front`: the address by which people reach it, where that is not its own
 * @returns {Promise<ExhibitServer>}
 */
export async function startExhibit(folder, { tls, front, port: wanted }) {
  await mkdir(folder, { recursive: true });
  const admin = person(path.join(folder, "machine"));
  const invitation = path.join(folder, "invitation.txt");
  const data = path.join(folder, "data");
  const log = path.join(folder, "log");
  const port = wanted ?? (await freePort());
  const url = front ?? `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  const running = await startServer(
    [
      ...[process.execPath, program, "serve", "--json", "--data", data, "--port", String(port)],
      ...["--public-url", url, "--invitation-file", invitation],
      ...(tls === undefined ? [] : ["--tls-cert", tls.cert, "--tls-key", tls.key]),
    ],
    { port, log, env: admin.env, says: '"listening"' },
  );
  const env = { ...admin.env, ...(tls === undefined ? {} : { EXHIBIT_CA_FILE: tls.ca }) };
  try {
    const session = await enrolBoth();
    return {
      url,
      pid: running.pid,
      port,
      content: path.join(data, "content"),
      log,
      env,
      token: () => session.accessToken(AbortSignal.timeout(30_000)),
      receiptKey: async () => session.statement.key,
      stop: () => running.stop(),
    };
  } catch (error) {
    await running.stop();
    throw error;
  }

  /** The machine, as the server's admin; and the bare sender, whose session this is. */
  async function enrolBoth() {
    const who = { env };
    await exhibit(who, ["login", url, "--invite-stdin"], await readFile(invitation, "utf8"));
    const made = await exhibit(who, [
      ...["invite", "create", "--role", "partner", "--org", "Bare sender"],
    ]);
    return enrol(url, made.code, tls);
  }
}

/**
 * Enrols an identity in this process and opens its session, with the built program's own rooms.
 *
 * @param {string} url
 * @param {string} code
 * @param {import("../certificates.js").Certificates | undefined} tls
 */
async function enrol(url, code, tls) {
  const { openNetwork } = await built("platform/network.js");
  const { enrolmentAtServers } = await built("stores/server/enrolment.js");
  const { openSession } = await built("stores/server/session.js");
  const kept = new Map();
  const machine = {
    secrets: {
      place: "the bench's memory",
      get: async (/** @type {string} */ name) => kept.get(name),
      set: async (/** @type {string} */ name, /** @type {string} */ secret) =>
        void kept.set(name, secret),
      delete: async (/** @type {string} */ name) => void kept.delete(name),
    },
    clock: { now: () => new Date() },
    network: openNetwork({
      proxyUrl: undefined,
      noProxy: undefined,
      caPem: tls === undefined ? undefined : await readFile(tls.ca, "utf8"),
      pace: { strideBytes: Infinity, wait: () => Promise.resolve() },
    }),
    toolVersion: "0.0.0",
  };
  await enrolmentAtServers(machine).enrol(url, code, AbortSignal.timeout(30_000));
  return openSession(url, machine, AbortSignal.timeout(30_000));
}

/**
 * A module of what `npm run build` made.
 *
 * @param {string} name
 * @returns {Promise<any>}
 */
export function built(name) {
  return import(new URL(`../../../dist/${name}`, import.meta.url).href);
}

/**
 * The key that a machine signs its receipts with.
 *
 * @param {string} keyFile
 */
export async function machineKeyIn(keyFile) {
  const { secretFile } = await built("platform/secrets/secret-file.js");
  const { findMachineKey } = await built("stores/machine-key.js");
  return (await findMachineKey(secretFile(keyFile))).publicJwk;
}
