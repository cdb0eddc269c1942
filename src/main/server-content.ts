import path from "node:path";
import type { Kysely } from "kysely";
import type { DirectParts } from "../evidence/ports/direct-parts.ts";
import type { GroupedContent } from "../evidence/ports/grouped-content.ts";
import type { SmokeEraser } from "../evidence/ports/smoke-eraser.ts";
import type { Store } from "../evidence/ports/store.ts";
import { parseTimetable } from "../evidence/timetable.ts";
import { contentPlaceOf, keepContentPlace } from "../platform/content-place.ts";
import type { DataFolder } from "../platform/data-folder.ts";
import { flushTogether } from "../platform/flush-together.ts";
import { isOld, KeptChecks } from "../platform/kept-checks.ts";
import { openNetwork } from "../platform/network.ts";
import type { MachineFacts } from "../platform/paths.ts";
import { storeAddress } from "../platform/store-address.ts";
import { partMemory } from "../server/content/part-memory.ts";
import type { Tables } from "../server/database/tables.ts";
import { openGroupedContent } from "../stores/directory/grouped.ts";
import { directorySmokeEraser } from "../stores/directory/erase-smoke.ts";
import { openDirectoryStore } from "../stores/directory/store.ts";
import type { S3Bucket } from "../stores/s3/bucket.ts";
import type { Enforced } from "../stores/s3/enforced.ts";
import { Paced } from "../transfer/paced.ts";
import { readCertificates } from "./certificates.ts";

/** What a server keeps its content in. */
export interface ServerContent {
  readonly content: Store;
  readonly grouped: GroupedContent | undefined;
  /** Where clients can reach the engine itself, and it keeps them to what they were given an address for. */
  readonly directParts: DirectParts | undefined;
  readonly smokeEraser: SmokeEraser;
  close(): Promise<void>;
}

const clock = { now: () => new Date() };

/**
 * Opens the content of a data folder: in the folder itself, or in the bucket at `store`. A bucket is tried out first, unless
 * that was done in the last 30 days.
 *
 * @throws ExhibitError `usage.invalid` where the content of this folder is elsewhere, `conflict.locked` where another server has
 * the prefix, `policy.unsupported` for a bucket that keeps too few promises, `auth.*`, `not-found.store`, `unavailable.*`
 */
export async function openServerContent(
  folder: DataFolder,
  {
    store,
    formerKeys,
  }: { readonly store: string | undefined; readonly formerKeys: readonly string[] },
  database: Kysely<Tables>,
  facts: MachineFacts,
  signal: AbortSignal,
): Promise<ServerContent> {
  const url = store === undefined ? undefined : storeAddress(store);
  const keptIn = await contentPlaceOf(folder, url);
  if (url !== undefined)
    return openInBucket(folder, { url, keptIn, formerKeys }, database, facts, signal);
  const content = await openDirectoryStore(folder.contentDir);
  return {
    content,
    grouped: await openGroupedContent(folder.contentDir, content, flushTogether()),
    directParts: undefined,
    smokeEraser: directorySmokeEraser(folder.contentDir),
    close: () => Promise.resolve(),
  };
}

async function openInBucket(
  folder: DataFolder,
  {
    url,
    keptIn,
    formerKeys,
  }: {
    readonly url: string;
    readonly keptIn: string | undefined;
    readonly formerKeys: readonly string[];
  },
  database: Kysely<Tables>,
  { env }: MachineFacts,
  signal: AbortSignal,
): Promise<ServerContent> {
  const [{ openBucket }, { claimPrefix, requireFit }, { s3ServerContent }, { takesDirectParts }] =
    await Promise.all([
      import("../stores/s3/open-bucket.ts"),
      import("../stores/s3/claim.ts"),
      import("../stores/s3/server-content.ts"),
      import("../stores/s3/direct-parts.ts"),
    ]);
  const { s3SmokeEraser } = await import("../stores/s3/erase-smoke.ts");
  const network = openNetwork({
    proxyUrl: env["HTTPS_PROXY"] ?? env["https_proxy"],
    noProxy: env["NO_PROXY"] ?? env["no_proxy"],
    caPem: await readCertificates(env["EXHIBIT_CA_FILE"]),
    pace: new Paced(parseTimetable("off", "--bwlimit"), clock),
  });
  try {
    const bucket = openBucket(url, { clock, network, customerKey: env["EXHIBIT_SSE_C_KEY"] });
    const enforced = await checked(folder, url, bucket, signal);
    requireFit(bucket, enforced);
    const isNew = keptIn === undefined;
    const former = [...folder.retiredKeys.map(({ thumbprint }) => thumbprint), ...formerKeys];
    const claim = { thumbprint: folder.key.thumbprint, former, isNew };
    await claimPrefix(bucket, enforced, claim, signal);
    await keepContentPlace(folder, url);
    const content = s3ServerContent(bucket, enforced, clock, partMemory(database));
    return {
      content,
      // Bundles are worth it where many durable writes can be flushed together.
      grouped: undefined,
      directParts: takesDirectParts(bucket, enforced) ? content : undefined,
      smokeEraser: s3SmokeEraser(bucket, enforced),
      close: () => network.close(),
    };
  } catch (error) {
    await network.close();
    throw error;
  }
}

/** What the bucket enforces: as it was found not long ago, or as it is found now. */
async function checked(
  folder: DataFolder,
  url: string,
  bucket: S3Bucket,
  signal: AbortSignal,
): Promise<Enforced> {
  const [{ checkBucket }, { enforcedSchema }] = await Promise.all([
    import("../stores/s3/probe/check-bucket.ts"),
    import("../stores/s3/enforced.ts"),
  ]);
  const checks = new KeptChecks(path.join(folder.path, "store-checks.json"), enforcedSchema);
  const before = await checks.find(url);
  if (before !== undefined && !isOld(before.checkedAt, clock.now())) return before;
  const { enforced } = await checkBucket(bucket, signal, () => undefined);
  await checks.keep(url, enforced);
  return enforced;
}
