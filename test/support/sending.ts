import { request } from "undici";
import { digestField, sha256Of } from "../../src/evidence/digest.ts";
import { contentKey } from "../../src/evidence/key.ts";
import type { ExhibitEntry } from "../../src/evidence/ports/register.ts";
import { recordType, type ExhibitRecord } from "../../src/evidence/record.ts";
import { seal, type Sealed } from "../../src/evidence/seal.ts";
import { registerOf } from "../../src/stores/server/register.ts";
import { soon, type Person } from "./server.ts";

export interface RawRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE" | "HEAD";
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | object;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** Sends one request as someone, with nothing added but the token, and reads the answer. */
export async function raw(person: Person, wanted: RawRequest): Promise<RawAnswer> {
  const token = await person.session.accessToken(soon());
  const { body } = wanted;
  const isBytes = typeof body === "string" || Buffer.isBuffer(body);
  const answer = await request(`${person.session.url}${wanted.path}`, {
    method: wanted.method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined || isBytes ? {} : { "content-type": "application/json" }),
      ...wanted.headers,
    },
    body: body === undefined ? null : isBytes ? body : JSON.stringify(body),
  });
  const text = await answer.body.text();
  const json = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: answer.statusCode, headers: answer.headers, text, json };
}

/** The headers of a body of bytes. */
export function bytesHeaders(bytes: Uint8Array): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "content-digest": digestField(sha256Of(bytes)),
  };
}

let sources = 0;

/** Reserves an exhibit for someone. */
export function reserved(
  person: Person,
  wanted: { case?: string; reference?: string; totalBytes?: number; sourceId?: string } = {},
): Promise<ExhibitEntry> {
  sources += 1;
  return registerOf(person.session).reserve(
    {
      case: wanted.case ?? "01AB1234526",
      reference: wanted.reference,
      initials: undefined,
      sourceId: wanted.sourceId ?? `source ${sources}`,
      totalBytes: wanted.totalBytes ?? 100_000,
    },
    soon(),
  );
}

export function keyIn(entry: ExhibitEntry, ordinal = 1): string {
  return contentKey(entry.case, entry.reference, ordinal, "footage.mp4");
}

/** A record of an exhibit's files, as its uploader would sign it. */
export async function recordOf(
  person: Person,
  entry: ExhibitEntry,
  sourceId: string,
  files: readonly { key: string; bytes: Uint8Array }[],
  changes: Partial<ExhibitRecord> = {},
): Promise<Sealed> {
  const { signer } = person.session;
  const record: ExhibitRecord = {
    schema: recordType,
    id: entry.id,
    case: entry.case,
    reference: entry.reference,
    sourceId,
    collectedAt: "2026-11-22T09:00:00Z",
    files: files.map(({ key, bytes }) => ({
      path: "CAM 1/footage.mp4",
      key,
      sizeBytes: bytes.byteLength,
      modifiedAt: "2026-11-21T22:00:00Z",
      digest: { sha256: sha256Of(bytes) },
      mediaType: "video/mp4",
    })),
    uploader: { key: signer.publicJwk, thumbprint: signer.thumbprint },
    tool: { name: "exhibit", version: "0.0.0-test" },
    ...changes,
  };
  return seal(record, recordType, signer);
}
