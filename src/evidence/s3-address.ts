import { addressParameters } from "./address-parameters.ts";
import { ExhibitError } from "./errors.ts";
import { serverAddress } from "./web-address.ts";

/** How a store has objects encrypted where they lie: with its own keys, with one of a key service, or with one that we bring along. */
export const encryptions = ["s3", "kms", "customer"] as const;
export type Encryption = (typeof encryptions)[number];

/** Where a store in an S3 bucket is, and how it is spoken to. Plain data without a secret. */
export interface S3Address {
  readonly bucket: string;
  /** What all keys begin with, without a slash at either end; "" for the whole bucket. */
  readonly prefix: string;
  /** The engine's origin without a slash at its end; undefined for AWS itself. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** The bucket stands in the path, not in the host's name. */
  readonly pathStyle: boolean;
  /** Profile of the AWS configuration on this computer whose keys are used. */
  readonly profile: string | undefined;
  /** The account that must own the bucket. */
  readonly owner: string | undefined;
  readonly sse: Encryption | undefined;
  /** The key for `kms`; undefined for the bucket's default one. */
  readonly kmsKeyId: string | undefined;
}

const names = ["endpoint", "region", "style", "profile", "owner", "sse", "kms-key"] as const;
type Name = (typeof names)[number];

/** A key behind the prefix has 200 bytes at most, a whole key 1,024. */
const longestPrefix = 700;
const prefixPattern =
  /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9!_.()~-]+(?:\/[A-Za-z0-9!_.()~-]+)*$/;
const bucketPattern = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;

/**
 * Reads `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&style=path|host&profile=NAME&owner=ID&sse=s3|kms|customer&kms-key=ID`.
 * Without an endpoint it is AWS, and the region must be there.
 *
 * @throws ExhibitError `usage.invalid`; `policy.insecure-address` for plain http to another machine
 */
export function s3Address(text: string): S3Address {
  const [, bucket = "", rest = "", search = ""] =
    /^s3:\/\/([^/?#@]*)\/?([^?#]*)(\?[^#]*)?$/.exec(text) ?? [];
  if (!bucketPattern.test(bucket)) throw invalid(text, `"${bucket}" is not the name of a bucket.`);
  const prefix = rest.replace(/\/$/, "");
  if (prefix !== "" && (!prefixPattern.test(prefix) || prefix.length > longestPrefix)) {
    throw invalid(text, `"${prefix}" cannot be what keys begin with.`);
  }
  const given = addressParameters(names, search, (why) => invalid(text, why));
  const { endpoint, sse, style, region, owner } = given;
  if (sse !== undefined && !isEncryption(sse)) throw invalid(text, `sse cannot be "${sse}".`);
  if (given["kms-key"] !== undefined && sse !== "kms")
    throw invalid(text, "kms-key needs sse=kms.");
  if (style !== undefined && style !== "path" && style !== "host") {
    throw invalid(text, `style cannot be "${style}".`);
  }
  if (region === undefined && endpoint === undefined)
    throw invalid(text, "A bucket at AWS needs its region.");
  if (region !== undefined && !/^[a-z0-9-]{1,40}$/i.test(region)) {
    throw invalid(text, `"${region}" is not a region.`);
  }
  if (owner !== undefined && !/^[A-Za-z0-9_-]{1,80}$/.test(owner)) {
    throw invalid(text, `"${owner}" is not an account.`);
  }
  return {
    bucket,
    prefix,
    endpoint: endpoint === undefined ? undefined : originOf(text, endpoint),
    region: region ?? "us-east-1",
    // A certificate for *.s3.REGION.amazonaws.com does not cover a bucket with a dot.
    pathStyle:
      style === undefined ? endpoint !== undefined || bucket.includes(".") : style === "path",
    profile: given.profile,
    owner,
    sse,
    kmsKeyId: given["kms-key"],
  };
}

/** The one form that an address is kept in: two ways to write it are the same store. */
export function s3AddressText(address: S3Address): string {
  const { bucket, prefix, endpoint, pathStyle } = address;
  const isUsual = pathStyle === (endpoint !== undefined || bucket.includes("."));
  const given: Record<Name, string | undefined> = {
    endpoint,
    region: address.region,
    style: isUsual ? undefined : pathStyle ? "path" : "host",
    profile: address.profile,
    owner: address.owner,
    sse: address.sse,
    "kms-key": address.kmsKeyId,
  };
  const query = names.flatMap((name) => {
    const value = given[name];
    return value === undefined
      ? []
      : [`${name}=${encodeURIComponent(value).replace(/%(?:3A|2F)/g, decodeURIComponent)}`];
  });
  return `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}?${query.join("&")}`;
}

/** The origin that requests go to, with the bucket's name in it or not. */
export function originFor({ bucket, endpoint, region, pathStyle }: S3Address): string {
  const suffix = region.startsWith("cn-") ? ".cn" : "";
  const origin = endpoint ?? `https://s3.${region}.amazonaws.com${suffix}`;
  return pathStyle ? origin : origin.replace("://", `://${bucket}.`);
}

function originOf(text: string, endpoint: string): string {
  const origin = serverAddress(endpoint);
  if (URL.canParse(origin) && new URL(origin).pathname === "/") return origin;
  throw invalid(text, `"${endpoint}" is not the endpoint of an S3 engine.`);
}

function isEncryption(text: string): text is Encryption {
  return (encryptions as readonly string[]).includes(text);
}

function invalid(text: string, why: string): ExhibitError {
  return new ExhibitError(
    "usage.invalid",
    `"${text.replace(/\/\/[^/]*@/, "//…@").replace(/\?.*/, "")}" is not the address of a store in S3. ${why}`,
    {
      hint: "Write it like s3://BUCKET/PREFIX?endpoint=https://s3.example.org&region=us-east-1. Keys are never part of it.",
    },
  );
}
