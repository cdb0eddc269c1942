import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { boxCertificates } from "./certificates.ts";

/** One origin of the simulator. */
export interface Listener {
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback host. */
export async function listen(tls: boolean, listener: RequestListener): Promise<Listener> {
  // The far end of a benchmark: large parts on slow days are no reason to hang up.
  const patience = { requestTimeout: 0, keepAliveTimeout: 60_000, highWaterMark: 256 * 1024 };
  const { cert, key } = tls ? boxCertificates() : { cert: "", key: "" };
  const server: Server = tls
    ? createTlsServer({ ...patience, cert, key }, listener)
    : createServer(patience, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
