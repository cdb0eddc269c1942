// A server of another process: started, waited for, stopped.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** @typedef {{ pid: number, stop: () => Promise<void> }} Running */

const patienceMs = 20_000;

/** A loopback port that was free just now. @returns {Promise<number>} */
export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("No port.");
  return address.port;
}

/**
 * Starts a server and waits until it listens.
 *
 * @param {readonly string[]} command
 * @param {{ port: number, log: string, env?: NodeJS.ProcessEnv, says?: string }} options `log`: where its output goes;
 * `says`: what it says there when it is ready, where listening is not enough
 * @returns {Promise<Running>}
 */
export async function startServer([program = "", ...args], options) {
  const { port, log, env = process.env, says = "" } = options;
  const file = openSync(log, "a");
  const child = spawn(program, args, { env, stdio: ["ignore", file, file] });
  closeSync(file);
  const closed = once(child, "close");
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started.`);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await closed;
  };
  const until = Date.now() + patienceMs;
  while (!(await listens(port)) || !(await readFile(log, "utf8")).includes(says)) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${program} does not listen; see ${log}`);
    }
    await delay(20);
  }
  return { pid, stop };
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function listens(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
