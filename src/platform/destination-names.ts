import { ExhibitError } from "../evidence/errors.ts";
import type { RecordedName } from "../evidence/ports/destination.ts";

/** Names that Windows keeps for devices, with any extension, and with blanks before it. */
const devices = /^(?:con|conin\$|conout\$|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?= *(?:\.|$))/i;
/** What Windows allows in no name, and our own sign, so that the mapping stays reversible. */
const illegal = /[<>:"|?*\\~\p{Cc}]/gu;

/**
 * A recorded path as segments that this system can keep. Elsewhere than on Windows that is the path itself; there,
 * what it cannot keep becomes `~` and hex digits.
 *
 * @throws ExhibitError `policy.unsupported` for a path that would leave its folder
 */
export function destinationSegments(
  { path, pathBytes }: RecordedName,
  platform: NodeJS.Platform,
): Buffer[] {
  const raw = pathBytes === undefined || platform === "win32" ? path : bytesAsText(pathBytes);
  const encoding = pathBytes === undefined || platform === "win32" ? "utf8" : "latin1";
  const segments = raw.split("/");
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === ".." || segment.includes("\0")) {
      throw new ExhibitError(
        "policy.unsupported",
        "The record names a file outside its own folder, which no upload of ours does. It is not restored.",
        { hint: "Treat this exhibit with suspicion, and tell your administrator." },
      );
    }
  }
  const kept = platform === "win32" ? segments.map(forWindows) : segments;
  return kept.map((segment) => Buffer.from(segment, encoding));
}

/** One letter a byte, so that splitting and checking see every byte. */
function bytesAsText(hex: string): string {
  return Buffer.from(hex, "hex").toString("latin1");
}

function forWindows(segment: string): string {
  return segment
    .replace(illegal, escaped)
    .replace(/[. ]+$/, (end) => Array.from(end, escaped).join(""))
    .replace(devices, (device) => escaped(device.charAt(0)) + device.slice(1));
}

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16).toUpperCase();
  return `~${code.padStart(2, "0")}`;
}
