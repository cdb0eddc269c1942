import { folderFor, numeric, rightsOn } from "../accounts/rights.ts";
import { badRequest, notFound, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { flagIn, idIn, objectIn, textIn, type Json } from "../http/json.ts";
import { sentDate } from "../items/dates.ts";
import type { World } from "../world.ts";
import { fileRequestBody, type FileRequest } from "./file-requests.ts";

/** `POST /file_requests/:id/copy`: the only way to make one. */
export async function copyFileRequest(world: World, call: Call): Promise<Answer> {
  const template = found(world, call);
  const body = await call.json();
  const folderId = idIn(objectIn(body, "folder"), "id");
  if (folderId === undefined) throw badRequest("'folder' is required");
  const folder = folderFor(world, call, "edit", folderId);
  const { user } = call.access;
  const change = changeIn(world, body);
  const made = world.fileRequests.make(world.tree.nextId(), folder, user, world.now());
  const { title, description, emailRequired, descriptionRequired } = template;
  Object.assign(made, { title, description, emailRequired, descriptionRequired }, change);
  world.events.add("FILE_REQUEST_CREATE", user, folder, { file_request_id: made.id });
  return { status: 200, json: fileRequestBody(made) };
}

/** `GET /file_requests/:id` */
export function getFileRequest(world: World, call: Call): Answer {
  return { status: 200, json: fileRequestBody(found(world, call)) };
}

/** `PUT /file_requests/:id` */
export async function updateFileRequest(world: World, call: Call): Promise<Answer> {
  const request = found(world, call);
  const wanted = call.header("if-match");
  if (wanted !== undefined && wanted !== String(request.etag)) {
    throw new Refusal(412, "precondition_failed", "The resource has been modified");
  }
  Object.assign(request, changeIn(world, await call.json()));
  request.etag += 1;
  request.updatedBy = call.access.user;
  request.updatedAt = world.now();
  const details = { file_request_id: request.id };
  world.events.add("FILE_REQUEST_UPDATE", call.access.user, request.folder, details);
  return { status: 200, json: fileRequestBody(request) };
}

/** `DELETE /file_requests/:id` */
export function deleteFileRequest(world: World, call: Call): Answer {
  const request = found(world, call);
  world.fileRequests.all.delete(request.id);
  const details = { file_request_id: request.id };
  world.events.add("FILE_REQUEST_DELETE", call.access.user, request.folder, details);
  return { status: 204 };
}

/** `GET /f/:code` of the account host: the page for people without an account; gone when it is inactive or over. */
export function fileRequestPage(world: World, call: Call): Answer {
  const code = call.param("code");
  const request = [...world.fileRequests.all.values()].find((one) => one.code === code);
  if (request === undefined || !isOpen(world, request)) throw notFound();
  const text = `<!doctype html><html lang="en"><title>Box</title><body><h1>${request.title}</h1></body></html>`;
  return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, text };
}

/** Ends what has run out, as Box does by itself. */
function isOpen(world: World, request: FileRequest): boolean {
  if (request.expiresAt !== undefined && request.expiresAt <= world.now()) request.active = false;
  return request.active;
}

function found(world: World, call: Call): FileRequest {
  const request = world.fileRequests.all.get(numeric(call.param("id")));
  if (request === undefined) throw notFound();
  const mayEdit = rightsOn(world, call.access, request.folder).has("edit");
  if (!mayEdit) throw notFound();
  isOpen(world, request);
  return request;
}

function changeIn(world: World, body: Json): Partial<FileRequest> {
  const change: Partial<FileRequest> = {};
  const title = textIn(body, "title");
  if (title !== undefined) change.title = title;
  const description = textIn(body, "description");
  if (description !== undefined) change.description = description;
  const emailRequired = flagIn(body, "is_email_required");
  if (emailRequired !== undefined) change.emailRequired = emailRequired;
  const descriptionRequired = flagIn(body, "is_description_required");
  if (descriptionRequired !== undefined) change.descriptionRequired = descriptionRequired;
  const { status } = body;
  if (status !== undefined && status !== "active" && status !== "inactive") {
    throw badRequest("Invalid value for status");
  }
  if (status !== undefined) change.active = status === "active";
  if (body["expires_at"] !== undefined) {
    change.expiresAt = sentDate(body["expires_at"], "expires_at");
    if (change.expiresAt !== undefined && change.expiresAt <= world.now()) {
      throw badRequest("expires_at is in the past");
    }
  }
  return change;
}
