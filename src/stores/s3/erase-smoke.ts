import { ExhibitError } from "../../evidence/errors.ts";
import type { SmokeEraser } from "../../evidence/ports/smoke-eraser.ts";
import { requireSmokeKey } from "../../evidence/smoke.ts";
import type { S3Bucket } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { objectOf, tried } from "./objects.ts";
import type { Enforced } from "./enforced.ts";
import { objectLockIn } from "./probe/answers.ts";
import { versionsOf } from "./versions.ts";

/** Erases synthetic material from a bucket, each version and each marker of a deletion by its own id. No lock is ever lifted. */
export function s3SmokeEraser(bucket: S3Bucket, enforced: Enforced): SmokeEraser {
  const store = tried(bucket, enforced);
  return {
    async requireErasable(signal) {
      const query = { "object-lock": "" };
      const answer = await bucket.send({ method: "GET", key: undefined, query }, signal);
      if (answer.status >= 500 && answer.status !== 501) throw failureOf(answer);
      const lock = answer.status < 300 ? objectLockIn(answer)?.byDefault : undefined;
      if (lock === undefined) return;
      throw new ExhibitError(
        "policy.unsupported",
        `This bucket locks each new object for ${lock.period} (Object Lock), so a smoke could not be erased. Nothing was written.`,
        {
          hint: "Try the bucket out with exhibit store check, which leaves nothing locked for long.",
        },
      );
    },
    async erase(key, signal) {
      requireSmokeKey(key);
      const object = objectOf(store, key);
      for (const query of await placesOf(bucket, object, signal)) {
        const answer = await bucket.send({ method: "DELETE", key: object, query }, signal);
        if (answer.status >= 300 && answer.status !== 404) throw failureOf(answer);
        if (!("versionId" in query) && answer.headers["x-amz-delete-marker"] === "true") {
          throw hidden();
        }
      }
    },
  };
}

/** What there is to delete of an object: its versions, or, where versions are not told, just the object. */
async function placesOf(
  bucket: S3Bucket,
  object: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>[]> {
  try {
    const versions = await versionsOf(bucket, object, signal);
    if (versions.length > 0) return versions.map(({ id }) => ({ versionId: id }));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ExhibitError) || error.code.startsWith("unavailable.rate")) throw error;
  }
  return [{}];
}

function hidden(): ExhibitError {
  return new ExhibitError(
    "policy.unsupported",
    "This bucket keeps versions and does not tell them: synthetic material was hidden there, not erased.",
    { hint: "Allow s3:ListBucketVersions and s3:DeleteObjectVersion, then run the smoke again." },
  );
}
