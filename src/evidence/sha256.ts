import { createHash } from "node:crypto";

/** The SHA-256 of bytes or UTF-8 text, in lower-case hex. In a file by itself: threads start faster without what checks documents. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
