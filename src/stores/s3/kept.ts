import { createHash } from "node:crypto";
import type { Kept } from "../../evidence/kept.ts";
import type { S3Answer } from "./bucket.ts";
import { refusesOverwrite } from "./capabilities.ts";
import type { Enforced } from "./enforced.ts";

type Headers = S3Answer["headers"];

const md5Form = /^[0-9a-f]{32}$/;

/** What an answer about an object says that the engine keeps of it. Checksums that it was not seen to compare count for nothing. */
export function keptIn(headers: Headers, { checksums: enforced }: Enforced): Kept {
  const etag = (headers["etag"] ?? "").replaceAll('"', "");
  const version = versionIn(headers);
  const checksums = Object.fromEntries(
    enforced.flatMap((algorithm) => {
      const value = headers[`x-amz-checksum-${algorithm}`];
      return value === undefined ? [] : [[algorithm, value] as const];
    }),
  );
  return {
    ...(version === undefined ? {} : { version }),
    ...(etag === "" ? {} : { etag }),
    ...(Object.keys(checksums).length === 0 ? {} : { checksums }),
  };
}

/** A bucket without versions says `null`, or nothing. */
export function versionIn(headers: Headers): string | undefined {
  const said = headers["x-amz-version-id"];
  return said === "null" || said === "" ? undefined : said;
}

/** What makes an engine tell checksums, where it has any. */
export function askingChecksums({ checksums }: Enforced): Readonly<Record<string, string>> {
  return checksums.length === 0 ? {} : { "x-amz-checksum-mode": "ENABLED" };
}

/** What the ETags of objects put in one request are. Seen on the first one: all of a store are written and encrypted alike. */
export class PutEtags {
  #areMd5: boolean | undefined;

  kindOf(etag: string, bytes: Uint8Array): "md5" | "opaque" {
    this.#areMd5 ??= createHash("md5").update(bytes).digest("hex") === etag;
    return this.#areMd5 && md5Form.test(etag) ? "md5" : "opaque";
  }
}

/** How an object put in one request, or put together of parts, was kept from being one over another. */
export function noOverwrite(
  enforced: Enforced,
  how: "put" | "complete",
): NonNullable<Kept["noOverwrite"]> {
  const isRefused = how === "put" ? refusesOverwrite(enforced) : enforced.noOverwriteComplete;
  return isRefused ? "if-none-match" : "looked-before-and-after";
}
