import { z } from "zod";
import { keySchema } from "../evidence/key.ts";
import { proofSchema } from "../evidence/proof.ts";
import { sha256Hex } from "../evidence/digest.ts";

/**
 * `PUT  /v1/content/<key>`       whole file in one request, `Content-Digest` required -> 201/200 stored
 * `GET  /v1/content/<key>`       bytes; `Range: bytes=a-b` gives 206
 * `HEAD /v1/content/<key>`       size in Content-Length
 * `GET  /v1/content?prefix=&after=&limit=`  page of keys
 */
export const contentPath = "/v1/content";

/** The path of a key; a key holds only characters that stand in a path as they are. */
export function contentPathOf(key: string): string {
  return `${contentPath}/${key}`;
}

export const storedSchema = z.strictObject({
  key: keySchema,
  sizeBytes: z.number().int().nonnegative(),
  sha256: sha256Hex,
  proof: proofSchema,
});

export const keyPageSchema = z.strictObject({
  keys: z.array(z.strictObject({ key: keySchema, sizeBytes: z.number().int().nonnegative() })),
  next: z.string().optional(),
});
