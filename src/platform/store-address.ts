import { stat } from "node:fs/promises";
import path from "node:path";
import { boxAddress, boxAddressText, isBoxAddress } from "../evidence/box-address.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { folderAddress } from "../evidence/folder-address.ts";
import { s3Address, s3AddressText } from "../evidence/s3-address.ts";
import { isLoopback, serverAddress } from "../evidence/web-address.ts";

/**
 * A store's URL as it is kept: an exhibit server's without a slash at its end, a folder's, that of a bucket in S3, or of a
 * folder in Box. A path is
 * taken for a folder.
 *
 * @throws ExhibitError `usage.invalid`; `policy.insecure-address` for plain http to another machine
 */
export function storeAddress(text: string): string {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(text)) {
    const folder = folderAddress(text);
    if (folder !== undefined) return folder;
    throw notAStore(text);
  }
  if (/^s3:/i.test(text)) return s3AddressText(s3Address(text));
  if (isBoxAddress(text)) return boxAddressText(boxAddress(text));
  // C: is a drive, not a scheme; the pattern above wants two letters.
  if (!URL.canParse(text)) throw notAStore(text);
  const url = new URL(text);
  if (`${url.username}${url.password}${url.search}${url.hash}` !== "") throw notAStore(text);
  const folder = folderAddress(text);
  if (folder !== undefined) return folder;
  if (url.protocol !== "https:" && url.protocol !== "http:") throw notAStore(text);
  return serverAddress(text);
}

/** Looks whether a store that is a folder is there; servers are not asked. @throws ExhibitError `not-found.store` */
export async function requireFolder(url: string): Promise<void> {
  if (!url.startsWith("file:")) return;
  const found = await stat(new URL(url)).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new ExhibitError("not-found.store", `There is no folder at ${url}.`, {
    hint: "Check the path, connect the drive, or make the folder first.",
  });
}

/** A short name for a store, made from its URL: `evidence` for https://evidence.example.police.uk. */
export function nameFor(url: string, taken: ReadonlySet<string>): string {
  const base = baseName(url);
  const name =
    (base.split(".")[0] ?? "")
      .replace(/[^a-z0-9_-]+/gi, "-")
      .replace(/^[-_]+/, "")
      .slice(0, 30) || "store";
  if (!taken.has(name)) return name;
  let serial = 2;
  while (taken.has(`${name}-${serial}`)) serial += 1;
  return `${name}-${serial}`;
}

function baseName(url: string): string {
  if (isBoxAddress(url)) return "box";
  const { protocol, hostname, pathname } = new URL(url);
  if (protocol === "file:") return path.posix.basename(pathname);
  return isLoopback(hostname) ? "local" : hostname;
}

function notAStore(text: string): ExhibitError {
  return new ExhibitError("usage.invalid", `"${text}" is not a store's address.`, {
    hint: "Write https://HOST for an exhibit server, file:///PATH for a folder, s3://BUCKET/PREFIX?region=NAME for a bucket, or box:FOLDER_ID for a folder in Box.",
  });
}
