import type { SourceStat } from "../../evidence/ports/source.ts";
import type { Origin } from "../../evidence/record.ts";
import type { S3Answer } from "./bucket.ts";
import type { ObjectPlace } from "./object-place.ts";

/** What an answer about an object says of it. */
export interface ObjectFacts {
  readonly stat: SourceStat;
  readonly etag: string;
  readonly version: string | undefined;
  readonly storedAt: Date;
  /** It lies in an archive, from which it has to be fetched first. */
  readonly isArchived: boolean;
}

/** Of a HEAD or a GET. A bucket without versions says `null`, or nothing. */
export function factsOf({ headers }: S3Answer): ObjectFacts {
  const etag = headers["etag"] ?? "";
  const said = headers["x-amz-version-id"];
  const version = said === undefined || said === "null" ? undefined : said;
  const storedAt = new Date(headers["last-modified"] ?? 0);
  const sizeBytes = sizeIn(headers);
  const modifiedAtMs = ownTime(headers) ?? storedAt.getTime();
  return {
    stat: {
      sizeBytes,
      modifiedAtMs,
      version: [version ?? "", etag, sizeBytes, storedAt.getTime()].join(":"),
    },
    etag,
    version,
    storedAt,
    isArchived: isArchived(headers),
  };
}

export function originOf({ url }: ObjectPlace, { etag, version, storedAt }: ObjectFacts): Origin {
  return {
    url,
    ...(version === undefined ? {} : { version }),
    ...(etag === "" ? {} : { etag }),
    storedAt: storedAt.toISOString(),
  };
}

/** Of the whole object, also where a range of it was asked for. */
function sizeIn(headers: S3Answer["headers"]): number {
  const whole = /\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1];
  return Number(whole ?? headers["content-length"] ?? 0);
}

/**
 * The file's own time, as the tools that filled the bucket keep it: rclone and s3fs in seconds (`x-amz-meta-mtime`), s3cmd among
 * others (`x-amz-meta-s3cmd-attrs: …/mtime:1700000000/…`).
 */
function ownTime(headers: S3Answer["headers"]): number | undefined {
  const text =
    headers["x-amz-meta-mtime"] ??
    /(?:^|\/)mtime:([\d.]+)/.exec(headers["x-amz-meta-s3cmd-attrs"] ?? "")?.[1];
  const milliseconds = Math.round(Number(text) * 1000);
  return text === undefined || Number.isNaN(new Date(milliseconds).getTime())
    ? undefined
    : milliseconds;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html: `x-amz-restore` says whether a copy is there for now. */
function isArchived(headers: S3Answer["headers"]): boolean {
  const kind = headers["x-amz-storage-class"] ?? "";
  const isRestored = (headers["x-amz-restore"] ?? "").includes('ongoing-request="false"');
  const isAway = headers["x-amz-archive-status"] !== undefined;
  return (["GLACIER", "DEEP_ARCHIVE"].includes(kind) || isAway) && !isRestored;
}
