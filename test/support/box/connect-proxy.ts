import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { Box } from "./box.ts";
import type { Host } from "./http/call.ts";

/** A proxy that leads Box's own names to a simulated Box, for programs whose addresses are built in. */
export interface ConnectProxy {
  readonly url: string;
  /** `api.box.com:443`, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

const hostOf: Readonly<Record<string, Host>> = {
  "api.box.com": "api",
  "upload.box.com": "upload",
  "account.box.com": "account",
  "dl.boxcloud.com": "download",
  "fupload-ec2.app.box.com": "session",
};

/** Refuses to connect anywhere else. */
export async function connectProxy(box: Box): Promise<ConnectProxy> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((_, answer) => answer.writeHead(405).end());
  server.on("connect", (request, client: Socket) => {
    const target = request.url ?? "";
    asked.push(target);
    const host = hostOf[target.replace(/:443$/, "")];
    if (host === undefined) {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const far = connect(box.ports[host], "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      client.pipe(far).pipe(client);
    });
    for (const [one, other] of [
      [client, far],
      [far, client],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
