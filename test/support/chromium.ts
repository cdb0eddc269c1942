import { existsSync } from "node:fs";

/** Where Debian, or another system, keeps its Chromium. */
export function chromiumPath(): string {
  const found = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((file) => existsSync(file));
  if (found === undefined) {
    throw new Error("Chromium is not installed: run node scripts/install-tools.js browser.");
  }
  return found;
}
