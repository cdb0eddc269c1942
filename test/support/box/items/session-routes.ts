import { createHash, randomBytes } from "node:crypto";
import { fileFor, folderFor } from "../accounts/rights.ts";
import { badRequest, notFound, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { idIn, textIn, type Json } from "../http/json.ts";
import type { World } from "../world.ts";
import { checkRoom } from "./arrival.ts";
import { checkedName, checkNameFree, namesake } from "./names.ts";
import type { Session, StoredPart } from "./sessions.ts";

const mostParts = 1000;
const largestOffset = 10_000;

/** `POST /files/upload_sessions` of the upload host. */
export async function createSession(world: World, call: Call): Promise<Answer> {
  const body = await call.json();
  const folderId = idIn(body, "folder_id");
  if (folderId === undefined) throw badRequest("folder_id is missing", "missing_destination");
  if (!/^\d+$/.test(folderId)) throw badRequest("folder_id is invalid", "invalid_folder_id");
  const sent = textIn(body, "file_name");
  if (sent === undefined) throw badRequest("file_name is missing", "missing_file_name");
  const size = sizeIn(world, body);
  const folder = sessionFolder(world, call, folderId);
  const name = checkedName(sent);
  checkNameFree(folder, name, "file");
  checkRoom(world, folder.owner, size);
  return madeSession(world, call, { folder, name }, size);
}

/** `POST /files/:id/upload_sessions` of the upload host: for a new version. */
export async function createVersionSession(world: World, call: Call): Promise<Answer> {
  const body = await call.json();
  const file = fileFor(world, call, "edit");
  const size = sizeIn(world, body);
  const name = checkedName(textIn(body, "file_name") ?? file.name);
  if (namesake(file.parent, name) !== file) checkNameFree(file.parent, name, "file");
  checkRoom(world, file.owner, size);
  return madeSession(world, call, { folder: file.parent, name, file }, size);
}

function madeSession(world: World, call: Call, target: Session["target"], size: number): Answer {
  const live = world.settings.sessionConflicts ? world.sessions.sameTarget(target) : undefined;
  if (live !== undefined) {
    throw new Refusal(409, "session_conflict", "An upload session for this file exists already", {
      context: { session: world.sessions.body(live) },
    });
  }
  const session = world.sessions.make(call.access.user, target, size);
  return { status: 201, json: world.sessions.body(session) };
}

/** `GET` of a session: how far it is. */
export function sessionStatus(world: World, call: Call): Answer {
  return { status: 200, json: world.sessions.body(world.sessions.of(call)) };
}

/** `DELETE` of a session. There is no way back. */
export function abortSession(world: World, call: Call): Answer {
  world.sessions.end(world.sessions.of(call));
  return { status: 204 };
}

/** `GET` of a session's parts, by offset; the page is counted in entries. */
export function listParts(world: World, call: Call): Answer {
  const parts = world.sessions.of(call).sorted();
  const limit = Math.min(call.number("limit", mostParts), mostParts, world.settings.pageEntries);
  const offset = call.number("offset", 0);
  if (offset > largestOffset) throw badRequest("Invalid value for offset: it is too large");
  const entries = parts.slice(offset, offset + limit).map(partBody);
  const order = [{ by: "offset", direction: "ASC" }];
  return { status: 200, json: { entries, total_count: parts.length, limit, offset, order } };
}

/** `PUT` of a part. What is stored cannot be changed, not even by the same bytes. */
export async function uploadPart(world: World, call: Call): Promise<Answer> {
  const session = world.sessions.of(call);
  const digest = shaDigest(call.header("digest"));
  const range = rangeIn(call.header("content-range"), session);
  const number = range.first / session.partBytes;
  checkNoOverlap(session, number);
  const hash = createHash("sha1");
  const buffers = await call.body((bytes) => hash.update(bytes));
  const size = buffers.reduce((sum, bytes) => sum + bytes.length, 0);
  if (size !== range.last - range.first + 1) {
    throw badRequest(`The range is of ${range.last - range.first + 1} bytes, ${size} came`);
  }
  const sha1 = hash.digest();
  if (!sha1.equals(digest)) {
    throw badRequest("The specified digest did not match what we received", "bad_digest");
  }
  checkNoOverlap(session, number);
  const part: StoredPart = {
    id: randomBytes(4).toString("hex").toUpperCase(),
    offset: range.first,
    size,
    sha1: sha1.toString("hex"),
    buffers,
  };
  session.store(number, part);
  return { status: 200, json: { part: partBody(part) } };
}

/** `sha=` and the SHA-1 in base64; the name of the algorithm in either case. */
export function shaDigest(header: string | undefined): Buffer {
  if (header === undefined) throw badRequest("The Digest header is required", "bad_digest");
  const [, text] = /^sha=([A-Za-z0-9+/]{27}=)$/i.exec(header) ?? [];
  if (text === undefined) throw badRequest("The Digest header is invalid", "bad_digest");
  return Buffer.from(text, "base64");
}

export function partBody({ id, offset, size, sha1 }: StoredPart): Record<string, unknown> {
  return { part_id: id, offset, size, sha1 };
}

function rangeIn(header: string | undefined, session: Session): { first: number; last: number } {
  const wrong = (why: string) =>
    new Refusal(416, "invalid_range", `${header ?? "No range"} is invalid: ${why}`);
  const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? "") ?? [];
  if (start === undefined) throw badRequest("The Content-Range header is missing or invalid");
  const first = Number(start);
  const last = Number(end);
  if (Number(total) !== session.size) throw wrong(`the session is of ${session.size} bytes`);
  if (first % session.partBytes !== 0) throw wrong("it does not begin where a part does");
  const whole = Math.min(first + session.partBytes, session.size) - 1;
  if (first >= session.size || last !== whole) throw wrong("it does not end where the part does");
  return { first, last };
}

function checkNoOverlap(session: Session, number: number): void {
  if (!session.parts.has(number)) return;
  throw new Refusal(409, "range_overlaps_existing_part", "The range overlaps an existing part");
}

function sizeIn(world: World, body: Json): number {
  const size = body["file_size"];
  if (size === undefined || size === null) {
    throw badRequest("file_size is missing", "missing_file_size");
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw badRequest("file_size is invalid", "invalid_file_size");
  }
  if (size < world.settings.minimumSessionBytes) {
    throw badRequest("The file is too small for an upload session", "file_size_too_small");
  }
  return size;
}

/** Box calls a folder that is not there an invalid parameter here. */
function sessionFolder(world: World, call: Call, id: string) {
  try {
    return folderFor(world, call, "upload", id);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
    const { message, more } = notFound();
    throw new Refusal(404, "invalid_parameter", message, more);
  }
}
