import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ExhibitError } from "./errors.ts";

/**
 * The address of a store that is a folder, in its one form: `file:///PATH`, on Windows `file:///D:/PATH` or `file://SERVER/SHARE/PATH`
 * (RFC 8089, appendix E), without a slash at the end except for a root. Undefined where `text` is neither a path nor such an address.
 */
export function folderAddress(
  text: string,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const paths = platform === "win32" ? path.win32 : path.posix;
  if (paths.isAbsolute(text) || text.startsWith(".")) {
    return inOneForm(pathToFileURL(paths.resolve(text), { windows: platform === "win32" }));
  }
  if (!/^file:/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.hostname === "" || platform === "win32" ? inOneForm(url) : undefined;
}

/** The folder that such an address names. @throws ExhibitError `usage.invalid` */
export function folderOf(url: string, platform: NodeJS.Platform = process.platform): string {
  try {
    const parsed = new URL(url);
    const isAddress = /^file:\/\//i.test(url) && `${parsed.search}${parsed.hash}` === "";
    if (isAddress) return fileURLToPath(parsed, { windows: platform === "win32" });
  } catch (cause) {
    throw notAFolder(url, cause);
  }
  throw notAFolder(url, undefined);
}

function inOneForm({ href }: URL): string {
  const bare = href.replace(/\/+$/, "");
  if (bare === "file:") return "file:///";
  // Without its slash, a drive would be whatever folder is current there.
  return bare.endsWith(":") ? `${bare}/` : bare;
}

function notAFolder(url: string, cause: unknown): ExhibitError {
  return new ExhibitError("usage.invalid", `"${url}" is not the address of a folder.`, {
    hint: "Write its whole path, like file:///mnt/evidence, or on Windows file:///D:/evidence or file://SERVER/SHARE/evidence.",
    cause,
  });
}
