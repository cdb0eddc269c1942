import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { ByteRange, Store } from "../../evidence/ports/store.ts";

/** One master, readable on this machine's loopback for as long as one copy is being made. */
export interface Tap {
  readonly url: string;
  /** With these variables ffmpeg finds our server behind `url` and is let in. They are secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the store said when a read failed; ffmpeg only knows that the connection broke. */
  failure(): Error | undefined;
  close(): void;
}

/**
 * Gives ffmpeg what a store does not have: something seekable. One HTTP server on 127.0.0.1, as ffmpeg's proxy: its
 * password, 192 random bits for each tap and void when the tap is closed, then stands in the environment and not among the
 * arguments, which every account of this machine can read. GET with `Range: bytes=a-` or `a-b`; nothing else.
 */
export interface Taps {
  open(key: string, sizeBytes: number): Promise<Tap>;
  close(): Promise<void>;
}

interface Opened {
  readonly key: string;
  readonly sizeBytes: number;
  readonly ended: AbortController;
  failure: Error | undefined;
}

export function createTaps(content: Store): Taps {
  const taps = new Map<string, Opened>();
  const server = createServer((request, response) => void answer(request, response));
  let listening: Promise<number> | undefined;

  async function listen(): Promise<number> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // Taps alone keep no process alive: whoever waits for a copy does.
    server.unref();
    return (server.address() as AddressInfo).port;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tap = taps.get(request.headers["proxy-authorization"] ?? "");
    const range = tap && rangeOf(request.headers.range, tap.sizeBytes);
    if (tap === undefined || range === undefined || request.method !== "GET") {
      // ffmpeg sends the password when it has been asked for it.
      if (tap === undefined) response.setHeader("proxy-authenticate", 'Basic realm="tap"');
      response.writeHead(tap === undefined ? 407 : 416).end();
      return;
    }
    const gone = new AbortController();
    response.on("close", () => {
      gone.abort();
    });
    const signal = AbortSignal.any([gone.signal, tap.ended.signal]);
    try {
      const bytes = await content.open(tap.key, range, signal);
      response.writeHead(request.headers.range === undefined ? 200 : 206, {
        "accept-ranges": "bytes",
        "content-length": range.end - range.start,
        "content-range": `bytes ${range.start}-${range.end - 1}/${tap.sizeBytes}`,
        "content-type": "application/octet-stream",
      });
      await pipeline(bytes, response, { signal });
    } catch (error) {
      // A reader that seeks hangs up: that is no failure of the store.
      if (!signal.aborted && error instanceof Error) tap.failure = error;
      response.destroy();
    }
  }

  return {
    async open(key, sizeBytes) {
      const port = await (listening ??= listen());
      const login = `tap:${randomBytes(24).toString("base64url")}`;
      const proof = `Basic ${Buffer.from(login).toString("base64")}`;
      const tap: Opened = { key, sizeBytes, ended: new AbortController(), failure: undefined };
      taps.set(proof, tap);
      return {
        url: "http://master/",
        environment: { http_proxy: `http://${login}@127.0.0.1:${port}` },
        failure: () => tap.failure,
        close: () => {
          taps.delete(proof);
          tap.ended.abort();
        },
      };
    },
    async close() {
      for (const tap of taps.values()) tap.ended.abort();
      taps.clear();
      if (listening === undefined) return;
      await listening;
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

function rangeOf(field: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (field === undefined) return { start: 0, end: sizeBytes };
  const match = /^bytes=(\d{1,16})-(\d{0,16})$/.exec(field);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === "" ? sizeBytes : Math.min(Number(match[2]) + 1, sizeBytes);
  return start < end ? { start, end } : undefined;
}
