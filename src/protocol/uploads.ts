import { z } from "zod";
import { keySchema } from "../evidence/key.ts";
import { sha256Hex } from "../evidence/digest.ts";

/**
 * `POST   /v1/uploads`                       begin -> 201 (new) or 200 (the caller's unfinished one)
 * `GET    /v1/uploads`                       the caller's unfinished uploads (an admin's: all)
 * `GET    /v1/uploads/:id`                   one, with its durable parts
 * `PUT    /v1/uploads/:id/parts/:offset`     a part of at most `partBytes`, anywhere in the file; `Content-Length` and `Content-Digest` (RFC 9530) required -> 204
 * `POST   /v1/uploads/:id/part-addresses`    where one part goes straight to the engine behind the server -> 200, or 204 for one that must come through the server
 * `POST   /v1/uploads/:id/complete`          -> 200 stored, or 202 + Retry-After (seconds) while proving: ask again
 * `DELETE /v1/uploads/:id`                   abort -> 204
 */
export const uploadsPath = "/v1/uploads";

export const beginSchema = z.strictObject({
  key: keySchema,
  sizeBytes: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  partBytes: z.number().int().positive(),
});

/**
 * How to send a part: `url` holds `{offset}` and may be relative; then it is resolved against the address by which the
 * client reached the server, with a slash at its end. Add `Content-Length` and `Content-Digest`. Our own token goes
 * along only when the URL's origin is the server's.
 */
export const partInstructionSchema = z.strictObject({
  url: z.string(),
  method: z.literal("PUT"),
  headers: z.record(z.string(), z.string()),
  expiresAt: z.iso.datetime(),
});

export const uploadStateSchema = z.strictObject({
  id: z.string(),
  key: keySchema,
  sizeBytes: z.number().int().nonnegative(),
  partBytes: z.number().int().positive(),
  state: z.enum(["receiving", "proving"]),
  startedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  receivedBytes: z.number().int().nonnegative(),
  part: partInstructionSchema,
  /** Parts may go straight to the engine: ask for the address of each. */
  directParts: z.literal(true).optional(),
  parts: z
    .array(
      z.strictObject({
        offset: z.number().int().nonnegative(),
        length: z.number().int().positive(),
        sha256: sha256Hex,
      }),
    )
    .optional(),
});
export type UploadState = z.infer<typeof uploadStateSchema>;

export const uploadListSchema = z.strictObject({ uploads: z.array(uploadStateSchema) });

export const partAddressWantedSchema = z.strictObject({
  offset: z.number().int().nonnegative(),
  length: z.number().int().positive(),
  sha256: sha256Hex,
});

/**
 * Where one part goes, and no other: to be sent with exactly these headers and without a token. It is a secret, as good as the
 * part. What answers there is the engine, not the server.
 */
export const partAddressSchema = z.strictObject({
  url: z.url(),
  method: z.literal("PUT"),
  headers: z.record(z.string(), z.string()),
  expiresAt: z.iso.datetime(),
});

export const completeSchema = z.strictObject({ sha256: sha256Hex });

/** How far the proof has come, with a 202. */
export const provingSchema = z.strictObject({
  state: z.literal("proving"),
  provedBytes: z.number().int().nonnegative(),
  sizeBytes: z.number().int().nonnegative(),
});
