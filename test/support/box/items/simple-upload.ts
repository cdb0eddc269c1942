import { fileFor, folderFor } from "../accounts/rights.ts";
import { badRequest, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { idIn, objectIn, parsedJson, textIn, type Json } from "../http/json.ts";
import { formParts } from "../http/multipart.ts";
import type { World } from "../world.ts";
import { attributesIn, checkRoom, contentOf, fileArrives, versionArrives } from "./arrival.ts";
import { itemBody } from "./bodies.ts";
import type { Content } from "./items.ts";
import { checkedName, checkNameFree, namesake } from "./names.ts";
import { checkIfMatch } from "./tree.ts";

/** `POST /files/content` of the upload host. */
export async function uploadFile(world: World, call: Call): Promise<Answer> {
  const { attributes, content } = await upload(call);
  const name = checkedName(textIn(attributes, "name"));
  const parentId = idIn(objectIn(attributes, "parent"), "id");
  if (parentId === undefined) throw badRequest("'parent' is required");
  const folder = folderFor(world, call, "upload", parentId);
  checkNameFree(folder, name, "file");
  checkRoom(world, folder.owner, content.size);
  const birth = { name, by: call.access.user };
  const file = fileArrives(world, folder, birth, content, attributesIn(attributes));
  const entries = [itemBody(world, call.access, file, call.fields)];
  return { status: 201, json: { total_count: 1, entries } };
}

/** `POST /files/:id/content` of the upload host: a new version. */
export async function uploadVersion(world: World, call: Call): Promise<Answer> {
  const file = fileFor(world, call, "edit");
  const { attributes, content } = await upload(call);
  checkIfMatch(call, file);
  checkRoom(world, file.owner, content.size);
  const name = textIn(attributes, "name");
  if (name !== undefined && name !== file.name) {
    checkedName(name);
    if (namesake(file.parent, name) !== file) checkNameFree(file.parent, name, "file");
    world.tree.rename(file, name, file.parent);
  }
  versionArrives(world, file, call.access.user, content, attributesIn(attributes));
  const entries = [itemBody(world, call.access, file, call.fields)];
  return { status: 200, json: { total_count: 1, entries } };
}

/** The two parts of the form. The name of the second makes no difference to Box; their order does. */
async function upload(call: Call): Promise<{ attributes: Json; content: Content }> {
  const body = Buffer.concat(await call.body());
  const [first, second] = formParts(call.header("content-type"), body);
  if (first?.name !== "attributes") {
    throw new Refusal(
      400,
      "metadata_after_file_contents",
      "The 'attributes' part must come before the file",
    );
  }
  if (second === undefined) throw badRequest("The file is missing");
  const content = contentOf(second.bytes);
  const told = call.header("content-md5");
  if (told !== undefined && told.toLowerCase() !== content.sha1) {
    throw new Refusal(
      400,
      "bad_digest",
      "The specified content-md5 did not match what we received",
    );
  }
  return { attributes: parsedJson(first.bytes.toString()), content };
}
