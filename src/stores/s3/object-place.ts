import { ExhibitError } from "../../evidence/errors.ts";

/** An object at its place, or what all keys in a folder begin with. */
export interface ObjectPlace {
  /** The bucket's address with everything that is needed to open it, and no key. */
  readonly bucketUrl: string;
  /** For people and records: `s3://BUCKET/KEY`. */
  readonly url: string;
  readonly key: string;
  readonly version: string | undefined;
}

/** What stands before the version in an address: no bucket's settings are in a fragment. */
const versionMark = "#version=";

/**
 * Reads `s3://BUCKET/KEY?endpoint=…`, with the version behind it where one is meant.
 *
 * @throws ExhibitError `usage.invalid`
 */
export function placeAt(location: string): ObjectPlace {
  const [address = "", version] = location.split(versionMark);
  if (!URL.canParse(address)) throw notAPlace(location);
  const url = new URL(address);
  const key = decoded(url.pathname.slice(1), location);
  url.pathname = "";
  return {
    bucketUrl: url.href,
    url: `s3://${url.host}/${key}`,
    key,
    version: version === undefined ? undefined : decoded(version, location),
  };
}

/** Where another object of the same bucket is found again. */
export function locationOf(place: ObjectPlace, key: string, version: string | undefined): string {
  const url = new URL(place.bucketUrl);
  url.pathname = key.split("/").map(encodeURIComponent).join("/");
  return version === undefined
    ? url.href
    : `${url.href}${versionMark}${encodeURIComponent(version)}`;
}

function decoded(text: string, location: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw notAPlace(location);
  }
}

function notAPlace(location: string): ExhibitError {
  return new ExhibitError("usage.invalid", `"${location}" is no address of objects.`, {
    hint: "Write s3://BUCKET/FOLDER or s3://BUCKET/KEY, with % before the code of letters such as % and ? (%25, %3F).",
  });
}
