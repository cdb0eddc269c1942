import type { S3Answer } from "../bucket.ts";
import { errorCodeIn } from "../failures.ts";

/** Completing an upload may answer 200 and tell of its failure in the body. */
export function isDone({ status, body }: S3Answer): boolean {
  return status === 200 && errorCodeIn(body) === undefined;
}
