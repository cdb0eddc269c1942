import type { LeftBehind, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import type { S3Bucket } from "../bucket.ts";
import type { Enforced } from "../enforced.ts";
import { cleanUp } from "./clean-up.ts";
import { checkEarlyRefusal } from "./early-refusal.ts";
import { checkEncryption } from "./encryption.ts";
import { checkInParts } from "./in-parts.ts";
import { checkIntegrity } from "./integrity.ts";
import { avoidDefaultLock, lockStateOf } from "./lock-state.ts";
import { checkObjectLock } from "./object-lock.ts";
import { checkOverwriting } from "./overwriting.ts";
import { checkPresigned } from "./presigned.ts";
import { reachBucket, requireWritable } from "./reach.ts";
import { Scratch } from "./scratch.ts";
import { versioningOf } from "./versioning.ts";

export interface BucketChecked {
  readonly enforced: Enforced;
  readonly findings: readonly StoreFinding[];
}

/**
 * Tries out, with small synthetic objects, what a bucket enforces. Everything it writes is below a prefix of its own and is
 * removed again, also when it fails or is stopped; `onLeft` is told what cannot be.
 *
 * @throws ExhibitError `not-found.store`, `auth.*`, `policy.not-permitted`, `unavailable.*`
 */
export async function checkBucket(
  bucket: S3Bucket,
  signal: AbortSignal,
  onLeft: (left: readonly LeftBehind[]) => void,
): Promise<BucketChecked> {
  const scratch = new Scratch(bucket, signal);
  const findings: StoreFinding[] = [];
  const found = <Part extends { readonly findings: readonly StoreFinding[] }>(part: Part): Part => {
    findings.push(...part.findings);
    return part;
  };
  found({ findings: [await reachBucket(scratch)] });
  const { versioning, ...versions } = await versioningOf(scratch);
  found(versions);
  const lock = await lockStateOf(scratch);
  const has = {
    versions: versioning !== "off" && versioning !== "unsupported",
    locks: lock.enabled,
  };
  try {
    const mayComplete = await avoidDefaultLock(scratch, lock);
    await requireWritable(scratch);
    const { payloadHash, contentMd5, checksums } = found(await checkIntegrity(scratch));
    const { presignedDigest } = found(await checkPresigned(scratch));
    const overwriting = found(await checkOverwriting(scratch, mayComplete));
    const { listParts, completeEtag } = found(await checkInParts(scratch, mayComplete));
    const { objectLock, retentionBy, legalHold } = found(
      await checkObjectLock(scratch, lock, mayComplete),
    );
    const { sse } = found(await checkEncryption(scratch, bucket.address.kmsKeyId));
    const { earlyRefusal } = found(await checkEarlyRefusal(scratch));
    const enforced = {
      checkedAt: new Date().toISOString(),
      payloadHash,
      contentMd5,
      checksums: [...checksums],
      presignedDigest,
      noOverwritePut: overwriting.noOverwritePut,
      noOverwriteComplete: overwriting.noOverwriteComplete,
      noOverwriteWhenVersioned: has.versions && overwriting.noOverwritePut,
      listParts,
      versioning,
      objectLock,
      retentionBy,
      legalHold,
      sse,
      completeEtag,
      earlyRefusal,
    };
    return { enforced, findings };
  } finally {
    const left = await cleanUp(scratch, has);
    if (left.length > 0) onLeft(left);
  }
}
