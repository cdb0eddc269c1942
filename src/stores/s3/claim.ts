import { z } from "zod";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { S3Bucket } from "./bucket.ts";
import { refusesOverwrite } from "./capabilities.ts";
import { readHeaders } from "./encryption.ts";
import { proofOf, type Enforced } from "./enforced.ts";
import { errorCodeIn, failureOf } from "./failures.ts";
import { putOnce, tried, type Tried } from "./objects.ts";

/** Beside the cases: no case can have this name. */
const name = ".exhibit-server.json";

const claimSchema = z.object({ schema: z.literal("exhibit.s3-server/1"), thumbprint: z.string() });

/**
 * Makes sure that an exhibit server may keep evidence in a bucket.
 *
 * @throws ExhibitError `policy.unsupported` where nothing compares what arrives, or nothing keeps it from being overwritten
 */
export function requireFit(bucket: S3Bucket, enforced: Enforced): void {
  const keepsVersions = enforced.versioning === "enabled";
  const keeps = refusesOverwrite(enforced) || enforced.noOverwriteComplete || keepsVersions;
  const missing =
    proofOf(enforced) === "size"
      ? "does not compare what arrives with any digest"
      : keeps
        ? undefined
        : "neither refuses to overwrite nor keeps versions";
  if (missing === undefined) return;
  throw new ExhibitError(
    "policy.unsupported",
    `The bucket ${bucket.address.bucket} ${missing}: an exhibit server cannot keep evidence there.`,
    { hint: "Turn on versioning, or use another engine. What it does: exhibit store check URL." },
  );
}

/** Who wants to keep content below a prefix. */
export interface Claim {
  /** Of the server's key. */
  readonly thumbprint: string;
  /** The server has no content anywhere yet. */
  readonly isNew: boolean;
}

/**
 * Takes a store's prefix for one server, once and for all: two that wrote below one prefix could overwrite each other.
 *
 * @throws ExhibitError `conflict.locked` where it belongs to another; `not-found.content` where a server that is not new has nothing; `auth.*`, `not-found.store`, `policy.*`, `unavailable.*`
 */
export async function claimPrefix(
  bucket: S3Bucket,
  enforced: Enforced,
  { thumbprint, isNew }: Claim,
  signal: AbortSignal,
): Promise<void> {
  const store = tried(bucket, enforced);
  const object = `${store.root}${name}`;
  const bytes = Buffer.from(`${JSON.stringify({ schema: "exhibit.s3-server/1", thumbprint })}\n`);
  const place = `s3://${bucket.address.bucket}/${store.root}`;
  let holder = await holderOf(store, object, signal);
  if (holder === undefined) {
    if (!isNew) {
      throw new ExhibitError(
        "not-found.content",
        `The content of this data folder is not in ${place}.`,
        { hint: "Check the bucket, the prefix and the endpoint in --store." },
      );
    }
    try {
      await putOnce(store, object, bytes, sha256Of(bytes), signal);
      return;
    } catch (error) {
      if (!hasCode(error, "conflict.exists")) throw error;
    }
    holder = await holderOf(store, object, signal);
  }
  if (holder === thumbprint) return;
  throw new ExhibitError(
    "conflict.locked",
    `Another exhibit server keeps its content in ${place}.`,
    {
      hint: "Give this one a prefix of its own: --store s3://BUCKET/PREFIX. A server that moved takes its data folder along.",
    },
  );
}

/** Whose the prefix is: a thumbprint, "" where that cannot be read, undefined where it is nobody's. */
async function holderOf(
  { bucket }: Tried,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const read = { method: "GET", key, headers: readHeaders(bucket) } as const;
  const answer = await bucket.send(read, signal);
  if (answer.status === 404 && errorCodeIn(answer.body) === "NoSuchKey") return undefined;
  if (answer.status >= 300) throw failureOf(answer);
  try {
    return claimSchema.parse(JSON.parse(answer.body.toString("utf8"))).thumbprint;
  } catch {
    return "";
  }
}
