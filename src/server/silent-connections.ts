import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/**
 * Ends, when the server stops, connections on which no request has come yet. Browsers and clients open them ahead of
 * need; Node counts them as neither idle nor active, and would wait for their time-out.
 */
export function endSilentConnections(app: FastifyInstance): void {
  // By the other end's address, because under TLS a request's socket is not the one that was accepted.
  const silent = new Map<string, Socket>();
  app.server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    silent.set(peer, socket);
    socket.once("close", () => silent.delete(peer));
  });
  app.server.on("request", ({ socket }: IncomingMessage) => silent.delete(peerOf(socket)));
  app.addHook("preClose", (done) => {
    for (const socket of silent.values()) socket.destroy();
    done();
  });
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ""} ${remotePort ?? ""}`;
}
