import { fileURLToPath } from "node:url";
import type { StoreProbe } from "../evidence/ports/store-probe.ts";
import { KeptChecks } from "../platform/kept-checks.ts";
import type { StoreBook } from "../platform/store-book.ts";
import type { StoreMachine } from "../stores/registry.ts";
import type { Enforced } from "../stores/s3/enforced.ts";

/** What was found out about the bucket at this URL, when it was last tried out. */
export async function checkKept(checksFile: string, url: string): Promise<Enforced | undefined> {
  const { enforcedSchema } = await import("../stores/s3/enforced.ts");
  return new KeptChecks(checksFile, enforcedSchema).find(url);
}

/** Tries out S3 buckets, and keeps what was found in `checksFile`. What it needs is loaded when it is called. */
export function storeProbe(
  book: Pick<StoreBook, "find">,
  machine: StoreMachine,
  checksFile: string,
): StoreProbe {
  return {
    async tryOut(store, signal, onLeft) {
      const { name, url } = await book.find(store);
      if (!url.startsWith("s3:")) return undefined;
      const [{ openBucket }, { checkBucket }, { enforcedSchema, proofOf }] = await Promise.all([
        import("../stores/s3/open-bucket.ts"),
        import("../stores/s3/probe/check-bucket.ts"),
        import("../stores/s3/enforced.ts"),
      ]);
      const bucket = openBucket(url, machine);
      try {
        const { enforced, findings } = await checkBucket(bucket, signal, onLeft);
        await new KeptChecks(checksFile, enforcedSchema).keep(url, enforced);
        return { name, url, checkedAt: enforced.checkedAt, proof: proofOf(enforced), findings };
      } finally {
        await bucket.close();
      }
    },
    async freeBytes(url) {
      if (!url.startsWith("file:")) return undefined;
      const { freeBytesIn } = await import("../stores/directory/space.ts");
      return freeBytesIn(fileURLToPath(url));
    },
  };
}
