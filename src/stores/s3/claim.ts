import { z } from "zod";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { S3Bucket } from "./bucket.ts";
import { refusesOverwrite } from "./capabilities.ts";
import { readHeaders } from "./encryption.ts";
import { proofOf, type Enforced } from "./enforced.ts";
import { errorCodeIn, failureOf } from "./failures.ts";
import { putOnce, tried, type Tried } from "./objects.ts";

/** Beside the cases: no case can have such a name. The claims of a server that has changed its key are numbered; the last one counts. */
function nameOf(claim: number): string {
  return claim === 0 ? ".exhibit-server.json" : `.exhibit-server-${claim}.json`;
}

/** More claims than any server makes. */
const mostClaims = 1000;

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
  /** Of keys that the server had before: their claim is its own, and goes over to the key it has now. */
  readonly former: readonly string[];
  /** The server has no content anywhere yet. */
  readonly isNew: boolean;
}

/**
 * Takes a store's prefix for one server; only that server's own next key takes it over: two that wrote below one prefix could overwrite each other.
 *
 * @throws ExhibitError `conflict.locked` where it belongs to another; `not-found.content` where a server that is not new has nothing; `auth.*`, `not-found.store`, `policy.*`, `unavailable.*`
 */
export async function claimPrefix(
  bucket: S3Bucket,
  enforced: Enforced,
  { thumbprint, former, isNew }: Claim,
  signal: AbortSignal,
): Promise<void> {
  const store = tried(bucket, enforced);
  const bytes = Buffer.from(`${JSON.stringify({ schema: "exhibit.s3-server/1", thumbprint })}\n`);
  const place = `s3://${bucket.address.bucket}/${store.root}`;
  for (;;) {
    const { holder, next } = await lastClaim(store, signal);
    if (holder === thumbprint) return;
    if (holder === undefined && !isNew) {
      throw new ExhibitError(
        "not-found.content",
        `The content of this data folder is not in ${place}.`,
        { hint: "Check the bucket, the prefix and the endpoint in --store." },
      );
    }
    if (holder !== undefined && !former.includes(holder)) throw anothers(place);
    try {
      await putOnce(store, `${store.root}${nameOf(next)}`, bytes, sha256Of(bytes), signal);
      return;
    } catch (error) {
      // Somebody else was first: whoever it is, their claim is the last one now.
      if (!hasCode(error, "conflict.exists")) throw error;
    }
  }
}

function anothers(place: string): ExhibitError {
  return new ExhibitError(
    "conflict.locked",
    `Another exhibit server keeps its content in ${place}.`,
    {
      hint: "Give this one a prefix of its own: --store s3://BUCKET/PREFIX. A server that moved takes its data folder along.",
    },
  );
}

/** Who holds the prefix now, and the number that a claim after that would have. */
async function lastClaim(
  store: Tried,
  signal: AbortSignal,
): Promise<{ readonly holder: string | undefined; readonly next: number }> {
  let holder: string | undefined;
  for (let next = 0; next < mostClaims; next += 1) {
    const found = await holderOf(store, `${store.root}${nameOf(next)}`, signal);
    if (found === undefined) return { holder, next };
    holder = found;
  }
  throw new ExhibitError("policy.unsupported", "There are too many claims below this prefix.");
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
