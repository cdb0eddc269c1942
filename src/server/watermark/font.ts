import { access } from "node:fs/promises";
import { ExhibitError } from "../../evidence/errors.ts";

const fonts = [
  "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
  "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf",
  "/usr/share/fonts/TTF/DejaVuSans-Bold.ttf",
  "/usr/share/fonts/dejavu/DejaVuSans-Bold.ttf",
  "/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf",
  "/Library/Fonts/Arial Unicode.ttf",
  "/System/Library/Fonts/Supplemental/Arial Bold.ttf",
];

/** The path of a bold font for the mark. @throws ExhibitError `unavailable.program` when there is none */
export async function findFont(): Promise<string> {
  for (const font of fonts) {
    try {
      await access(font);
      return font;
    } catch {
      continue;
    }
  }
  throw new ExhibitError(
    "unavailable.program",
    "This server needs a font to make marked copies, and none is installed.",
    { hint: "Run: apt-get install -y --no-install-recommends fonts-dejavu-core" },
  );
}
