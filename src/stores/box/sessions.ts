import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { StoredPart, Upload } from "../../evidence/ports/store.ts";
import { isLoopback } from "../../evidence/web-address.ts";
import { bodyOf, type BoxAnswer, type BoxApi } from "./api.ts";
import { boxCodeOf, failureOf } from "./failures.ts";

/** A session is spoken to at the addresses that came with it: they lead to the nearest data centre (Box: session endpoints). */
export const endpointsSchema = z.object({
  upload_part: z.url(),
  commit: z.url(),
  abort: z.url(),
  list_parts: z.url(),
  status: z.url(),
});
export type Endpoints = z.infer<typeof endpointsSchema>;

export const sessionSchema = z.object({
  id: z.string().min(1),
  session_expires_at: z.string(),
  part_size: z.number().int().positive(),
  total_parts: z.number().int().positive(),
  num_parts_processed: z.number().int().nonnegative(),
  session_endpoints: endpointsSchema,
});
export type Session = z.infer<typeof sessionSchema>;

const partSchema = z.object({
  part_id: z.string(),
  offset: z.number().int().nonnegative(),
  size: z.number().int().positive(),
  sha1: z.string(),
});
/** A part as Box lists it, and as it wants it back when the whole is put together. */
export type BoxPart = z.infer<typeof partSchema>;

export const partAnswerSchema = z.object({ part: partSchema });

const partsSchema = z.object({
  entries: z.array(partSchema),
  total_count: z.number().int().nonnegative(),
  limit: z.number().int().positive().optional(),
});

/** Box gives no more at once. */
const pageLength = 1000;

const conflictSchema = z.object({ context_info: z.object({ session: sessionSchema }) });

/** Begins a session; or gives the live one that Box says is under way for this name already. */
export async function createSession(
  api: BoxApi,
  about: { readonly folderId: string; readonly name: string; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<
  | { readonly session: Session; readonly isNew: boolean }
  | { readonly session: undefined; readonly refused: BoxAnswer }
> {
  const { folderId, name, sizeBytes } = about;
  const answer = await api.ask(
    {
      method: "POST",
      to: api.upload("/files/upload_sessions"),
      json: { folder_id: folderId, file_name: name, file_size: sizeBytes },
      isUpload: true,
    },
    signal,
  );
  if (answer.status === 409 && boxCodeOf(answer) === "session_conflict") {
    const live = conflictSchema.safeParse(answer.body).data?.context_info.session;
    if (live !== undefined) return { session: trusted(api, live), isNew: false };
  }
  if (answer.status === 409 && boxCodeOf(answer) === "item_name_in_use") {
    return { session: undefined, refused: answer };
  }
  return { session: trusted(api, bodyOf(sessionSchema, answer)), isNew: true };
}

/** How a session stands; undefined where Box says that it has ended, or is another user's. @throws ExhibitError `unavailable.store` */
export async function liveSession(
  api: BoxApi,
  endpoints: Endpoints,
  signal: AbortSignal,
): Promise<Session | undefined> {
  const answer = await api.ask({ method: "GET", to: endpoints.status }, signal);
  if (looksGone(answer) && boxCodeOf(answer) === undefined) throw notBox(answer);
  // A proxy's page says nothing of the session.
  const isAnothers = answer.status === 403 && boxCodeOf(answer) !== undefined;
  return looksGone(answer) || isAnothers ? undefined : bodyOf(sessionSchema, answer);
}

/** Whether an answer may say that a session is no more: what else is not there is told in the same way, by a proxy too. */
export function looksGone(answer: Pick<BoxAnswer, "status" | "body">): boolean {
  return [404, 410].includes(answer.status) || boxCodeOf(answer) === "invalid_upload_session_id";
}

/**
 * Why an answer {@link looksGone}: Box is asked how the session stands, because parts that it holds are sent again only where the session
 * has really ended.
 *
 * @returns ExhibitError `not-found.upload` where it has; `unavailable.store` where it lives, or where what answers is not Box
 */
export async function whyGone(
  api: BoxApi,
  endpoints: Endpoints,
  answer: BoxAnswer,
  signal: AbortSignal,
): Promise<ExhibitError> {
  const session = await liveSession(api, endpoints, signal);
  if (session === undefined) return noUpload();
  if (boxCodeOf(answer) === undefined) return notBox(answer);
  return new ExhibitError(
    "unavailable.store",
    "Box knows the upload, and says that something of it is not there.",
    { hint: againOrAbort, facts: failureOf(answer).facts },
  );
}

function notBox({ status }: BoxAnswer): ExhibitError {
  return new ExhibitError(
    "unavailable.store",
    `What answers at the upload's address does not answer as Box does (status ${status}).`,
    { hint: `Check the settings of your proxy. ${againOrAbort}`, facts: { status } },
  );
}

const againOrAbort =
  "What Box holds of it is kept: run the same command again later. If it stays so, abort the upload and begin again: exhibit uploads list.";

/** All parts that a session holds, in order of offset. @throws ExhibitError `not-found.upload` */
export async function partsOf(
  api: BoxApi,
  endpoints: Endpoints,
  signal: AbortSignal,
): Promise<BoxPart[]> {
  const found: BoxPart[] = [];
  for (let offset = 0; ;) {
    const page = await partsFrom(api, endpoints, offset, pageLength, signal);
    found.push(...page.entries);
    // By the limit that Box kept to, not by what came (Box: offset-based pagination).
    offset += page.limit ?? pageLength;
    if (offset >= page.total_count) break;
  }
  return found.sort((a, b) => a.offset - b.offset);
}

/** The part that lies at an offset, if there is one. */
export async function partAt(
  api: BoxApi,
  endpoints: Endpoints,
  offset: number,
  signal: AbortSignal,
): Promise<BoxPart | undefined> {
  const parts = await partsOf(api, endpoints, signal);
  return parts.find((part) => part.offset === offset);
}

export async function endSession(
  api: BoxApi,
  endpoints: Endpoints,
  signal: AbortSignal,
): Promise<void> {
  const answer = await api.ask({ method: "DELETE", to: endpoints.abort }, signal);
  if (answer.status >= 300 && !looksGone(answer)) throw failureOf(answer);
}

export function storedPart({ offset, size, sha1 }: BoxPart): StoredPart {
  return { offset, length: size, digest: { algorithm: "sha1", hex: sha1 } };
}

/** Length of the part at an offset. @throws ExhibitError `usage.invalid` for what cannot be a part of the upload */
export function requirePart(
  { sizeBytes, partBytes }: Upload,
  { offset, length }: { readonly offset: number; readonly length: number },
  bodyBytes: number,
): void {
  const isOne =
    Number.isSafeInteger(offset) && offset >= 0 && offset < sizeBytes && offset % partBytes === 0;
  const right = Math.min(partBytes, sizeBytes - offset);
  if (isOne && length === right && bodyBytes === length) return;
  throw new ExhibitError("usage.invalid", "This is not one of the upload's parts.", {
    hint: `A part begins at a multiple of ${partBytes} and has ${partBytes} bytes, or what is left of the file.`,
    facts: { offset, length, bodyBytes, sizeBytes },
  });
}

async function partsFrom(
  api: BoxApi,
  endpoints: Endpoints,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<z.infer<typeof partsSchema>> {
  const answer = await api.ask(
    { method: "GET", to: endpoints.list_parts, query: { offset, limit } },
    signal,
  );
  if (looksGone(answer)) throw await whyGone(api, endpoints, answer, signal);
  return bodyOf(partsSchema, answer);
}

export function noUpload(): ExhibitError {
  return new ExhibitError("not-found.upload", "Box has no such unfinished upload.", {
    hint: "It has expired, was aborted, or is finished. Run the same upload command again.",
  });
}

/** The folder that an upload leads into is gone. */
export function noFolder(): ExhibitError {
  return new ExhibitError(
    "not-found.upload",
    "Somebody took away the folder in Box that this upload leads into.",
    { hint: "Run the same upload command again: the folder is made again, and all is sent." },
  );
}

/** @throws ExhibitError `policy.insecure-address` */
function trusted(api: BoxApi, session: Session): Session {
  const hostname = foreignHost(api, session.session_endpoints);
  if (hostname === undefined) return session;
  throw new ExhibitError("policy.insecure-address", `Box sent us to ${hostname} for an upload.`, {
    hint: "That is none of the hosts in the store's address. Nothing was sent there. Tell your administrator.",
  });
}

/** A host of endpoints that our token must not go to: one of another organisation than those of the store's address. */
export function foreignHost({ address }: BoxApi, endpoints: Endpoints): string | undefined {
  const hosts = [address.upload, address.api].map((url) => new URL(url).hostname);
  return Object.values(endpoints)
    .map((url) => new URL(url).hostname)
    .find((hostname) => !hosts.some((host) => isSameOrganisation(hostname, host)));
}

/** Domains that are Box's own altogether. */
const boxDomains = ["box.com", "boxcloud.com", "box-gov.com"];

function isSameOrganisation(one: string, other: string): boolean {
  if (isLoopback(one) || isLoopback(other)) return isLoopback(one) && isLoopback(other);
  const isBelow = (host: string, domain: string): boolean => host.endsWith(`.${domain}`);
  return (
    one === other || boxDomains.some((domain) => isBelow(one, domain) && isBelow(other, domain))
  );
}
