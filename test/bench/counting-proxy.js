// Passes bytes on between a client and a server, counts those that go up, and says when there have been so many.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/**
 * @typedef {object} CountingProxy
 * @property {number} port
 * @property {() => number} bytesUp since the start
 * @property {(bytes: number) => Promise<void>} whenUp settles when so many have gone up
 * @property {() => Promise<void>} stop
 */

/**
 * @param {number} upstreamPort
 * @returns {Promise<CountingProxy>}
 */
export async function startCountingProxy(upstreamPort) {
  let up = 0;
  /** @type {{ bytes: number, tell: () => void }[]} */
  let waiting = [];
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: upstreamPort, host: "127.0.0.1", noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (bytes) => {
      up += bytes.length;
      const reached = waiting.filter((one) => up >= one.bytes);
      waiting = waiting.filter((one) => up < one.bytes);
      for (const { tell } of reached) tell();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port.");
  return {
    port: address.port,
    bytesUp: () => up,
    whenUp: (bytes) => new Promise((tell) => waiting.push({ bytes, tell: () => tell(undefined) })),
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
