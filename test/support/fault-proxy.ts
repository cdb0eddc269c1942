import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** What shall go wrong next. Each fault happens once and is then spent; counts begin when it is set. */
export interface Faults {
  /** Resets every connection as soon as it is made. Stays until taken away. */
  refuse?: true;
  /** Resets the connection when so many bytes have gone up. */
  resetAfter?: number;
  /** Lets no byte through any more, either way, on the connection that reaches so many bytes up. */
  stallAfter?: number;
  /** Flips a bit of the byte at this place on the way up. */
  flipAt?: number;
  /** Lets the request with this in its head reach the server, and loses the reply. */
  dropReplyTo?: RegExp;
}

/** A TCP proxy on loopback that breaks connections in chosen ways, and counts. */
export interface FaultProxy {
  readonly url: string;
  /** Bytes from clients to the server, and back, since the start. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Connections that clients have made, since the start. */
  readonly connections: number;
  /** The faults that have happened, in order. */
  readonly happened: readonly (keyof Faults)[];
  /** Where it goes to; may be said later than the proxy's own address is needed. */
  upstreamPort: number;
  set(faults: Faults): void;
  /** Settles when so many bytes have gone up since the start. */
  whenUp(bytes: number): Promise<void>;
  /** Settles when the next fault has happened. */
  nextFault(): Promise<void>;
  /** How many bytes a second it takes from all clients together; `Infinity` at first. */
  bytesPerSecond: number;
  /** Resets every connection that is open now. */
  cut(): void;
  close(): Promise<void>;
}

export async function startFaultProxy(
  upstreamPort = 0,
  at = { host: "127.0.0.1", port: 0 },
): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const happened: (keyof Faults)[] = [];
  const waiting: (() => void)[] = [];
  const thresholds = new Map<() => void, number>();
  let faults: Faults = {};
  let bytesUp = 0;
  let bytesDown = 0;
  let connections = 0;
  let upSinceSet = 0;
  let freeAt = 0;

  const happen = (fault: keyof Faults): void => {
    if (fault !== "refuse") faults = {};
    happened.push(fault);
    for (const tell of waiting.splice(0)) tell();
  };

  const server = createServer({ noDelay: true }, (client) => {
    connections += 1;
    if (faults.refuse === true) {
      happen("refuse");
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: proxy.upstreamPort, host: "127.0.0.1", noDelay: true });
    let losesReply = false;
    let stalled = false;
    const reset = (): void => {
      client.resetAndDestroy();
      upstream.destroy();
    };
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on("end", () => other.end());
      socket.on("drain", () => other.resume());
    }
    client.on("data", (bytes: Buffer) => {
      const from = upSinceSet;
      bytesUp += bytes.length;
      upSinceSet += bytes.length;
      for (const [tell, threshold] of thresholds) {
        if (bytesUp >= threshold && thresholds.delete(tell)) tell();
      }
      const reached = (place: number | undefined): place is number =>
        place !== undefined && upSinceSet > place;
      if (reached(faults.flipAt)) {
        const at = faults.flipAt - from;
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        happen("flipAt");
      }
      if (reached(faults.resetAfter)) {
        happen("resetAfter");
        reset();
        return;
      }
      if (reached(faults.stallAfter)) {
        stalled = true;
        happen("stallAfter");
      }
      losesReply ||= faults.dropReplyTo?.test(bytes.toString("latin1")) ?? false;
      if (!stalled && !upstream.write(bytes)) client.pause();
      if (proxy.bytesPerSecond === Infinity) return;
      client.pause();
      freeAt = Math.max(freeAt, performance.now()) + (bytes.length / proxy.bytesPerSecond) * 1000;
      setTimeout(() => client.resume(), freeAt - performance.now());
    });
    upstream.on("data", (bytes: Buffer) => {
      bytesDown += bytes.length;
      if (losesReply) {
        happen("dropReplyTo");
        reset();
        return;
      }
      if (!stalled && !client.write(bytes)) upstream.pause();
    });
  });
  server.listen(at.port, at.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const proxy: FaultProxy = {
    upstreamPort,
    bytesPerSecond: Infinity,
    url: `http://${at.host}:${port}`,
    happened,
    get bytesUp() {
      return bytesUp;
    },
    get bytesDown() {
      return bytesDown;
    },
    get connections() {
      return connections;
    },
    set(next) {
      faults = next;
      upSinceSet = 0;
    },
    whenUp: (bytes) => new Promise((resolve) => thresholds.set(resolve, bytes)),
    nextFault: () => new Promise((resolve) => waiting.push(resolve)),
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
  return proxy;
}
