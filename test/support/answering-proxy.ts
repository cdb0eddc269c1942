import { EventEmitter, once } from "node:events";
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";

/** What becomes of a request that a rule fits. All but `answer` let it reach the server. */
export type Deed =
  /** Answers in the server's place, having read the request's body or, with `early`, none of it. */
  | { answer: number; headers?: OutgoingHttpHeaders; body?: string; early?: true }
  /** Sends the request to the server twice, and gives the second answer. */
  | { twice: true }
  /** Lets the server act, then resets the connection. */
  | { loseReply: true }
  /** Lets the server act, then answers this instead. */
  | { insteadOfReply: number; headers?: OutgoingHttpHeaders; body?: string }
  /** Takes the body no further than this many bytes, and says nothing. */
  | { stallAt: number }
  /** Lets the body through this many bytes at a time, with a pause after each. */
  | { dripBytes: number; everyMs: number }
  /** Lets the request through only behind so many others that came later, or were on their way. */
  | { behind: number }
  /** Puts a frame around the body, as some proxies and uploaders do. */
  | { framed: true }
  /** Has the token that the first such request bears end: whoever bears it is refused, a newer one is taken. */
  | { tokenEnded: { authorization?: string } }
  /** Does something before the request reaches the server. */
  | { after: () => Promise<void> }
  /** Changes the request's or the answer's body on its way. */
  | { flipUp: number }
  | { flipDown: number }
  /** Ends the answer's body after so many bytes, as if that were all. */
  | { truncateDown: number };

export interface Rule {
  /** Against `METHOD /path`. */
  readonly on: RegExp;
  readonly deed: Deed;
  /** Only to requests whose declared body is longer than this many bytes. */
  readonly longerThan?: number;
  /** How often it applies before it is spent; for ever when left out. */
  times?: number;
}

/** An HTTP proxy on loopback, before one real server, that does to some requests what broken networks and servers do. */
export interface AnsweringProxy {
  readonly url: string;
  upstreamPort: number;
  rules: Rule[];
  /** `METHOD /path` of every request, in order, and the bytes of its body that came. */
  readonly requests: {
    readonly line: string;
    readonly headers: IncomingHttpHeaders;
    bytes: number;
  }[];
  /** How often a rule has applied. */
  readonly applied: number;
  close(): Promise<void>;
}

export async function startAnsweringProxy(upstreamPort = 0): Promise<AnsweringProxy> {
  let applied = 0;
  const answered = new EventEmitter();
  const server = createServer((incoming, outgoing) => {
    outgoing.once("finish", () => answered.emit("one"));
    const line = `${incoming.method ?? ""} ${incoming.url ?? ""}`;
    const entry = { line, headers: incoming.headers, bytes: 0 };
    proxy.requests.push(entry);
    incoming.on("data", (bytes: Buffer) => (entry.bytes += bytes.length));
    incoming.pause();
    const declared = Number(incoming.headers["content-length"] ?? 0);
    const rule = proxy.rules.find(
      ({ on, times, longerThan = -1 }) => on.test(line) && times !== 0 && declared > longerThan,
    );
    if (rule?.times !== undefined) rule.times -= 1;
    if (rule !== undefined) applied += 1;
    const deed = rule?.deed;
    const work =
      deed !== undefined && "behind" in deed
        ? overtaken(deed.behind, answered).then(() =>
            handle(incoming, outgoing, proxy.upstreamPort, deed),
          )
        : handle(incoming, outgoing, proxy.upstreamPort, deed);
    work.catch(() => {
      outgoing.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: AnsweringProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    upstreamPort,
    rules: [],
    requests: [],
    get applied() {
      return applied;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

/** Settles when so many other requests have been answered. */
async function overtaken(times: number, answered: EventEmitter): Promise<void> {
  for (let left = times; left > 0; left -= 1) await once(answered, "one");
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  deed: Deed = { flipUp: -1 },
): Promise<void> {
  if ("stallAt" in deed) {
    let taken = 0;
    incoming.on("data", (bytes: Buffer) => {
      taken += bytes.length;
      if (taken >= deed.stallAt) incoming.pause();
    });
    await once(incoming, "close");
    return;
  }
  if ("answer" in deed) {
    if (deed.early !== true) await once(incoming.resume(), "end");
    answer(outgoing, deed.answer, deed);
    return;
  }
  const body = await bodyOf(incoming, deed);
  if ("after" in deed) await deed.after();
  if ("tokenEnded" in deed) endToken(incoming.headers, deed.tokenEnded);
  if ("twice" in deed) await forwarded(incoming, port, body);
  const reply = await forwarded(incoming, port, body);
  if ("loseReply" in deed) outgoing.destroy();
  else if ("insteadOfReply" in deed) answer(outgoing, deed.insteadOfReply, deed);
  else {
    const { statusCode = 502, headers, text } = reply;
    const sent = "truncateDown" in deed ? text.subarray(0, deed.truncateDown) : flipped(text, deed);
    // The answer to HEAD says how long what it does not bring would be.
    const length = incoming.method === "HEAD" ? {} : { "content-length": sent.length };
    outgoing.writeHead(statusCode, { ...headers, ...length });
    outgoing.end(sent);
  }
}

function endToken(headers: IncomingHttpHeaders, ended: { authorization?: string }): void {
  ended.authorization ??= headers.authorization ?? "";
  if (headers.authorization === ended.authorization) headers.authorization = "Bearer ended";
}

function answer(
  outgoing: ServerResponse,
  status: number,
  { headers, body }: { headers?: OutgoingHttpHeaders; body?: string },
): void {
  outgoing.writeHead(status, { ...headers, connection: "close" });
  outgoing.end(body);
}

async function bodyOf(incoming: IncomingMessage, deed: Deed): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const source = "dripBytes" in deed ? incoming.pipe(dripping(deed)) : incoming;
  for await (const bytes of source as AsyncIterable<Buffer>) pieces.push(bytes);
  const body = Buffer.concat(pieces);
  if ("framed" in deed) {
    return Buffer.concat([
      Buffer.from(`${body.length.toString(16)}\r\n`),
      body,
      Buffer.from("\r\n0\r\n\r\n"),
    ]);
  }
  const at = "flipUp" in deed ? deed.flipUp : -1;
  if (at >= 0 && at < body.length) body[at] = (body[at] ?? 0) ^ 1;
  return body;
}

function dripping({ dripBytes, everyMs }: { dripBytes: number; everyMs: number }): Transform {
  return new Transform({
    readableHighWaterMark: dripBytes,
    writableHighWaterMark: dripBytes,
    transform(bytes: Buffer, _encoding, done) {
      setTimeout(
        () => {
          done(null, bytes);
        },
        (everyMs * bytes.length) / dripBytes,
      );
    },
  });
}

function flipped(text: Buffer, deed: Deed): Buffer {
  if (!("flipDown" in deed) || deed.flipDown >= text.length) return text;
  const changed = Buffer.from(text);
  changed[deed.flipDown] = (changed[deed.flipDown] ?? 0) ^ 1;
  return changed;
}

interface Reply {
  readonly statusCode: number | undefined;
  readonly headers: OutgoingHttpHeaders;
  readonly text: Buffer;
}

async function forwarded(incoming: IncomingMessage, port: number, body: Buffer): Promise<Reply> {
  const { method, url, headers } = incoming;
  const kept = { ...headers, "content-length": String(body.length) };
  const onward = request({ host: "127.0.0.1", port, method, path: url, headers: kept });
  onward.end(body);
  const [response] = (await once(onward, "response")) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const bytes of response as AsyncIterable<Buffer>) pieces.push(bytes);
  const replied = Object.entries(response.headers).filter(([name]) => name !== "transfer-encoding");
  return {
    statusCode: response.statusCode,
    headers: Object.fromEntries(replied),
    text: Buffer.concat(pieces),
  };
}
