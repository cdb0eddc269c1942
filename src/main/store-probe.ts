import { folderOf } from "../evidence/folder-address.ts";
import type { StoreProbe } from "../evidence/ports/store-probe.ts";
import { isOld, KeptChecks } from "../platform/kept-checks.ts";
import type { StoreBook } from "../platform/store-book.ts";
import type { NamedStore, StoreMachine } from "../stores/registry.ts";

/** What was found out about a bucket when it was last tried out. One that was not for long counts all the same, and `onNote` is told, once. */
export function checksKept(
  checksFile: string,
  onNote: (note: string) => void,
): StoreMachine["checkOf"] {
  const told = new Set<string>();
  return async ({ name, url }: NamedStore) => {
    const { enforcedSchema } = await import("../stores/s3/enforced.ts");
    const found = await new KeptChecks(checksFile, enforcedSchema).find(url);
    if (found !== undefined && isOld(found.checkedAt, new Date()) && !told.has(url)) {
      told.add(url);
      onNote(
        `What the store ${name} enforces was tried out last on ${found.checkedAt.slice(0, 10)}, more than 30 days ago. Do it again: exhibit store check ${/^[\w-]+$/.test(name) ? name : `'${name}'`}`,
      );
    }
    return found;
  };
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
      return freeBytesIn(folderOf(url));
    },
  };
}
