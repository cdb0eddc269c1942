import type { IncomingMessage } from "node:http";
import type { Access } from "../accounts/access.ts";
import { badRequest } from "./answer.ts";
import { parsedJson, type Json } from "./json.ts";

/** The simulator's origins. */
export type Host = "api" | "upload" | "session" | "download" | "account";

/** One line of the log of requests. */
export interface LoggedRequest {
  readonly method: string;
  readonly host: Host;
  readonly path: string;
  readonly query: string;
  readonly agent: string;
  readonly headers: IncomingMessage["headers"];
  /** Login of who asked. */
  user: string | undefined;
  /** 0 while there is no answer, and where the connection was cut. */
  status: number;
  receivedBytes: number;
  sentBytes: number;
}

/** A request on its way through the simulator. */
export class Call {
  params: Readonly<Record<string, string>> = {};
  private read: Buffer[] | undefined;
  private signedIn: Access | undefined;

  readonly request: IncomingMessage;
  readonly host: Host;
  readonly url: URL;
  readonly log: LoggedRequest;

  constructor(request: IncomingMessage, host: Host, url: URL, log: LoggedRequest) {
    this.request = request;
    this.host = host;
    this.url = url;
    this.log = log;
  }

  get method(): string {
    return this.log.method;
  }

  get query(): URLSearchParams {
    return this.url.searchParams;
  }

  /** Who asks. Only of routes that need a token. */
  get access(): Access {
    if (this.signedIn === undefined) throw new Error(`${this.url.pathname} needs no token.`);
    return this.signedIn;
  }

  set access(access: Access) {
    this.signedIn = access;
    this.log.user = access.user.login;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === "string" ? value : value?.[0];
  }

  param(name: string): string {
    const value = this.params[name];
    if (value === undefined) throw new Error(`No ${name} in ${this.url.pathname}`);
    return value;
  }

  /** A whole number from the query. */
  number(name: string, usual: number): number {
    const text = this.query.get(name);
    if (text === null || text === "") return usual;
    if (!/^\d+$/.test(text)) throw badRequest(`Invalid value '${text}' for ${name}`);
    return Number(text);
  }

  /** Names in `fields`, or undefined where the client does not choose. */
  get fields(): readonly string[] | undefined {
    const text = this.query.get("fields");
    return text === null || text === "" ? undefined : text.split(",").map((one) => one.trim());
  }

  /** The body as it came in, each buffer handed to `seen` on arrival. */
  async body(seen?: (bytes: Buffer) => void): Promise<readonly Buffer[]> {
    if (this.read !== undefined) return this.read;
    const buffers: Buffer[] = [];
    for await (const bytes of this.request as AsyncIterable<Buffer>) {
      this.log.receivedBytes += bytes.length;
      buffers.push(bytes);
      seen?.(bytes);
    }
    this.read = buffers;
    return buffers;
  }

  /** What has been read of the body so far: all of it once the call is answered, but for parts that were refused. */
  get received(): readonly Buffer[] {
    return this.read ?? [];
  }

  async text(): Promise<string> {
    return Buffer.concat(await this.body()).toString();
  }

  async json(): Promise<Json> {
    return parsedJson(await this.text());
  }

  async form(): Promise<URLSearchParams> {
    return new URLSearchParams(await this.text());
  }

  /** Takes in what is left of the body, so that a refusal reaches a client that is still sending. */
  async drain(): Promise<void> {
    if (this.request.readableEnded || this.request.destroyed) return;
    try {
      if (/json|form-urlencoded/.test(this.header("content-type") ?? "")) await this.body();
      for await (const bytes of this.request as AsyncIterable<Buffer>) {
        this.log.receivedBytes += bytes.length;
      }
    } catch {
      // The client went away: there is nobody to answer.
    }
  }
}
