// What all workloads use: a folder of their own, certificates, and the servers, each started when it is first asked for.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { startExhibit } from "./servers/exhibit.js";
import { startNginx, startRclone, startTus } from "./servers/peers.js";

/**
 * @typedef {"http" | "https"} Transport
 *
 * @typedef {object} Rig
 * @property {string} folder on the disk that all write to
 * @property {import("./certificates.js").Certificates} certificates
 * @property {readonly string[]} notInstalled programs that are not there
 * @property {(transport: Transport) => Promise<import("./servers/exhibit.js").ExhibitServer>} exhibit
 * @property {(name: "tus" | "rclone" | "nginx", transport: Transport) => Promise<import("./servers/peers.js").PeerServer>} peer
 * @property {(key: string, make: () => Promise<unknown>) => Promise<any>} once makes it when it is first asked for
 * @property {(key: string, start: () => Promise<{ stop: () => Promise<void> }>) => Promise<any>} started likewise, and stops it in the end
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} folder
 * @param {import("./certificates.js").Certificates} certificates
 * @param {readonly string[]} notInstalled
 * @returns {Rig}
 */
export function openRig(folder, certificates, notInstalled) {
  /** @type {Map<string, Promise<any>>} */
  const made = new Map();
  /** @type {Promise<{ stop: () => Promise<void> }>[]} */
  const running = [];
  const once = (/** @type {string} */ key, /** @type {() => Promise<any>} */ make) => {
    const known = made.get(key) ?? make();
    made.set(key, known);
    return known;
  };
  const started = (/** @type {string} */ key, /** @type {() => Promise<any>} */ start) =>
    once(key, () => {
      const starting = start();
      running.push(starting);
      return starting;
    });
  const tlsOf = (/** @type {Transport} */ transport) =>
    transport === "https" ? certificates : undefined;
  const startPeer = { tus: startTus, rclone: startRclone, nginx: startNginx };
  return {
    folder,
    certificates,
    notInstalled,
    once,
    started,
    exhibit: (transport) =>
      started(`exhibit ${transport}`, () =>
        startExhibit(path.join(folder, `exhibit-${transport}`), { tls: tlsOf(transport) }),
      ),
    peer: (name, transport) =>
      started(`${name} ${transport}`, async () => {
        const own = path.join(folder, `${name}-${transport}`);
        await mkdir(own);
        return startPeer[name](own, tlsOf(transport));
      }),
    async stop() {
      for (const one of await Promise.allSettled(running)) {
        if (one.status === "fulfilled") await one.value.stop();
      }
    },
  };
}
