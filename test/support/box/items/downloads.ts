import { randomBytes } from "node:crypto";
import { notFound, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { World } from "../world.ts";
import { currentVersion, type Content, type File } from "./items.ts";

const addressMinutes = 15;

interface Address {
  readonly content: Content;
  readonly name: string;
  readonly expiresAt: Date;
}

/** Addresses of the download host, each good for a quarter of an hour to whoever has it. */
export class Downloads {
  private readonly addresses = new Map<string, Address>();

  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** Where a file's bytes are to be had. */
  address(file: File, content: Content = currentVersion(file).content): string {
    const code = randomBytes(24).toString("base64url");
    const expiresAt = new Date(this.world.now().getTime() + addressMinutes * 60_000);
    this.addresses.set(code, { content, name: file.name, expiresAt });
    return `${this.world.origins.download}/d/1/${code}/download`;
  }

  /** `GET /d/1/:code/download`, with or without a range. */
  get(call: Call): Answer {
    const address = this.addresses.get(call.param("code"));
    if (address === undefined || isGone(address.content)) throw notFound();
    if (address.expiresAt <= this.world.now()) {
      throw new Refusal(403, "expired", "", { form: "empty" });
    }
    return bytesAnswer(address.content, address.name, call.header("range"));
  }
}

function isGone({ buffers, size }: Content): boolean {
  return size > 0 && buffers.length === 0;
}

/** Bytes, or the range of them that was asked for. */
export function bytesAnswer(content: Content, name: string, range: string | undefined): Answer {
  const headers = {
    "accept-ranges": "bytes",
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
  };
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) {
    return { status: 200, headers, bytes: content.buffers };
  }
  const start = first === "" ? Math.max(0, content.size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? content.size : Math.min(Number(last) + 1, content.size);
  if (start >= content.size || start >= end) {
    return { status: 416, headers: { "content-range": `bytes */${content.size}` }, text: "" };
  }
  const at = `bytes ${start}-${end - 1}/${content.size}`;
  return {
    status: 206,
    headers: { ...headers, "content-range": at },
    bytes: cut(content, start, end),
  };
}

function cut({ buffers }: Content, start: number, end: number): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const buffer of buffers) {
    if (at >= end) break;
    const piece = buffer.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (piece.length > 0) pieces.push(piece);
    at += buffer.length;
  }
  return pieces;
}
