import type { Source } from "../evidence/ports/source.ts";
import { fetchedSource, isFetched } from "../platform/fetching/fetched-source.ts";
import { fileSource } from "../platform/file-source.ts";
import type { S3Bucket } from "../stores/s3/bucket.ts";
import type { S3Machine } from "../stores/s3/open-bucket.ts";

/** Where evidence comes from: this computer's files and folders, what is at an `s3://` address, and what links brought. */
export function sourceOf(machine: S3Machine, fetchesDir: string, signal: AbortSignal): Source {
  const files = fileSource();
  const fetched = fetchedSource(fetchesDir);
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
  const sourceAt = async (location: string): Promise<Source> => {
    if (isObject(location)) return objects();
    return isFetched(location) ? fetched : files;
  };
  return {
    async *list(location, watcher) {
      yield* (await sourceAt(location)).list(location, watcher);
    },
    open: async (location) => (await sourceAt(location)).open(location),
  };
}
