import { z } from "zod";
import { sha256Hex, sha256Of } from "./digest.ts";

const text = z.string().min(1).max(1024);

/** Where a file was brought in from by a link, and what was said of it there. */
export const fetchedSchema = z.strictObject({
  /** Scheme, host, port and path of the link; what in a path looks like a secret stands as `…`, what comes behind `?` is left out. */
  url: z.string().min(1).max(4096),
  /** Of the whole link as it was given: who has it can show that it was this one. */
  urlSha256: sha256Hex,
  /** The host, with its port where that is not the usual one, that gave the bytes. */
  host: text,
  redirects: z.number().int().nonnegative(),
  /** By this computer's clock. */
  fetchedAt: z.iso.datetime(),
  /** That the host had; absent through a proxy. */
  address: text.optional(),
  viaProxy: z.literal(true).optional(),
  /** SHA-256 of the certificate that the host showed; absent through a proxy. */
  certificateSha256: sha256Hex.optional(),
  /** As they came. */
  headers: z.strictObject({
    date: text.optional(),
    lastModified: text.optional(),
    etag: text.optional(),
    contentType: text.optional(),
    contentDisposition: text.optional(),
    contentDigest: text.optional(),
    reprDigest: text.optional(),
  }),
});
export type Fetched = z.infer<typeof fetchedSchema>;

/** Long, and changing between capitals, small letters and digits more often than words and dates do: what links carry for a password. */
function looksSecret(segment: string): boolean {
  const plain = segment.replace(/\.[A-Za-z0-9]{1,5}$/, "");
  if (plain.length < 16) return false;
  const runs = plain.replace(/[^A-Za-z0-9]/g, "").match(/[A-Z]+|[a-z]+|[0-9]+/g) ?? [];
  return runs.length > 6;
}

/** A link as it may be kept and shown. */
export function linkWithoutSecrets(link: URL): string {
  const path = link.pathname
    .split("/")
    .map((segment) => (looksSecret(segment) ? "…" : segment))
    .join("/");
  return `${link.origin}${path}`;
}

/** What a link is known by. */
export function linkDigest(link: URL): string {
  return sha256Of(link.href);
}
