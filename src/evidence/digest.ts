import { createHash } from "node:crypto";
import { z } from "zod";

export { sha256Of } from "./sha256.ts";

/** A SHA-256 in lower-case hex: the evidential digest. Any other digest is a transport check. */
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hex");

/**
 * The digests of a whole file: the evidential one, and the SHA-1 where the store compares one (`Capabilities.comparesSha1`).
 */
export interface WholeDigests {
  readonly sha256: string;
  readonly sha1?: string;
}

/** A digest as it stands in every document of ours. */
export const digestSchema = z.strictObject({ sha256: sha256Hex });
export type Digest = z.infer<typeof digestSchema>;

/** The SHA-1 of bytes in lower-case hex: Box's transport check, and never evidence. */
export function sha1Of(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

/** The `Content-Digest` or `Repr-Digest` field value for a SHA-256 (RFC 9530 section 2). */
export function digestField(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`;
}

/** The SHA-256 in a `Content-Digest` field, or undefined if it has none that is well formed. */
export function parseDigestField(field: string | undefined): string | undefined {
  const match = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/]{43}=):/.exec(field ?? "");
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], "base64").toString("hex");
}
