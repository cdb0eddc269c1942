import type { Source } from "../evidence/ports/source.ts";
import { fileSource } from "../platform/file-source.ts";
import type { S3Bucket } from "../stores/s3/bucket.ts";
import type { S3Machine } from "../stores/s3/open-bucket.ts";

/** Where evidence comes from: this computer's files and folders, and what is at an `s3://` address. */
export function sourceOf(machine: S3Machine, signal: AbortSignal): Source {
  const files = fileSource();
  const buckets = new Map<string, S3Bucket>();
  const open = async (bucketUrl: string): Promise<S3Bucket> => {
    const { openBucket } = await import("../stores/s3/open-bucket.ts");
    const bucket = buckets.get(bucketUrl) ?? openBucket(bucketUrl, machine);
    buckets.set(bucketUrl, bucket);
    return bucket;
  };
  const objects = async (): Promise<Source> => {
    const { objectSource } = await import("../stores/s3/object-source.ts");
    return objectSource(open, signal);
  };
  const isObject = (location: string): boolean => location.startsWith("s3://");
  return {
    async *list(location, watcher) {
      yield* (isObject(location) ? await objects() : files).list(location, watcher);
    },
    open: async (location) => (isObject(location) ? await objects() : files).open(location),
  };
}
