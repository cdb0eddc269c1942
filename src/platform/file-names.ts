import path from "node:path";

const separator = Buffer.from(path.sep);
const rawPrefix = "bytes:";

/** True when `name` is well-formed UTF-8, so that it survives being text. */
export function isText(name: Buffer): boolean {
  return Buffer.from(name.toString("utf8")).equals(name);
}

/** `name` inside `folder`, both as the system's own bytes. */
export function inside(folder: Buffer, name: Buffer): Buffer {
  return folder.subarray(-separator.length).equals(separator)
    ? Buffer.concat([folder, name])
    : Buffer.concat([folder, separator, name]);
}

/** Writes an absolute path as text: itself, or `bytes:<hex>` where it is not UTF-8. No absolute path looks like that. */
export function locationOf(absolute: Buffer): string {
  return isText(absolute) ? absolute.toString("utf8") : rawPrefix + absolute.toString("hex");
}

/** Undoes {@link locationOf}; a relative path is taken from the current folder. */
export function pathOf(location: string): Buffer {
  return location.startsWith(rawPrefix)
    ? Buffer.from(location.slice(rawPrefix.length), "hex")
    : Buffer.from(path.resolve(location));
}
