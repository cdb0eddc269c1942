import { badRequest, notFound, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { isJson, objectIn, type Json } from "../http/json.ts";
import type { World } from "../world.ts";
import { attributesIn, checkRoom, fileArrives, versionArrives } from "./arrival.ts";
import { itemBody } from "./bodies.ts";
import { isRoot, type Content, type File, type Item } from "./items.ts";
import { checkNameFree } from "./names.ts";
import { shaDigest } from "./session-routes.ts";
import type { Session } from "./sessions.ts";
import { checkIfMatch } from "./tree.ts";

/** `POST` of a session's commit: makes the file of its parts, when Box has got round to them. */
export async function commitSession(world: World, call: Call): Promise<Answer> {
  const session = world.sessions.of(call);
  const digest = shaDigest(call.header("digest"));
  const body = await call.json();
  const { file, folder, name } = session.target;
  if (!isThere(world, file ?? folder)) throw notFound();
  if (file === undefined) checkNameFree(folder, name, "file", session);
  else checkIfMatch(call, file);
  checkParts(session, body["parts"]);
  const attributes = attributesIn(objectIn(body, "attributes"));
  if (!session.digest().equals(digest)) {
    throw badRequest("The specified digest did not match what we received", "bad_digest");
  }
  checkRoom(world, folder.owner, session.size);
  session.notReady ??= world.settings.commitNotReady;
  if (session.notReady > 0) {
    session.notReady -= 1;
    world.sessions.reserve(session);
    return { status: 202, headers: { "retry-after": String(world.settings.retryAfterSeconds) } };
  }
  const content = contentOf(session, digest);
  const by = call.access.user;
  world.sessions.end(session);
  let made: File;
  if (file === undefined) {
    made = fileArrives(world, folder, { name, by }, content, attributes);
  } else {
    versionArrives(world, file, by, content, attributes);
    made = file;
  }
  const entries = [itemBody(world, call.access, made, call.fields)];
  return { status: 201, json: { total_count: 1, entries } };
}

/** All parts, in their order, each as it was answered. */
function checkParts(session: Session, told: unknown): void {
  const stored = session.sorted();
  const listed: readonly unknown[] = Array.isArray(told) ? told : [];
  const fits =
    stored.length === session.totalParts &&
    listed.length === stored.length &&
    stored.every((part, at) => {
      const one: Json = isJson(listed[at]) ? listed[at] : {};
      const { part_id, offset, size, sha1 } = one;
      const named = sha1 === undefined || sha1 === part.sha1;
      return named && part_id === part.id && offset === part.offset && size === part.size;
    });
  if (fits) return;
  throw new Refusal(400, "parts_mismatch", "The parts do not match those that were uploaded");
}

function contentOf(session: Session, digest: Buffer): Content {
  const buffers = session.sorted().flatMap((part) => part.buffers);
  return { buffers, size: session.size, sha1: digest.toString("hex") };
}

/** What an upload was for may have been deleted in the meantime. */
function isThere(world: World, item: Item): boolean {
  if (item.kind === "file") return world.tree.files.has(item.id);
  return isRoot(item) || world.tree.folders.has(item.id);
}
