import {
  PDFArray,
  PDFDict,
  PDFDocument,
  PDFName,
  StandardFonts,
  degrees,
  rgb,
  type PDFFont,
  type PDFPage,
} from "@cantoo/pdf-lib";
import { ExhibitError } from "../../evidence/errors.ts";
import { markSentence, type Mark } from "./mark.ts";

const mostPages = 2000;

/** Annotations that only show something. All others (links, forms, files, media, 3D) can act and are left out. */
const passive = new Set(
  // prettier-ignore
  ["FreeText", "Highlight", "Underline", "Squiggly", "StrikeOut", "Square", "Circle", "Line", "Polygon", "PolyLine", "Ink", "Stamp"],
);
/** Entries of pages and annotations that start something, or carry files or private data. */
const dropped = ["A", "AA", "AF", "PA", "PieceInfo", "Metadata", "B", "Popup", "IRT", "Parent"];

/** Opens a PDF. @throws ExhibitError `policy.type-not-markable` when it is encrypted or broken, `policy.too-large` */
export async function openPdf(bytes: Buffer): Promise<PDFDocument> {
  let document: PDFDocument;
  let pages: number;
  try {
    document = await PDFDocument.load(bytes, { ignoreEncryption: true, updateMetadata: false });
    pages = document.isEncrypted ? 1 : document.getPageCount();
  } catch (cause) {
    throw notMarkable("The PDF is damaged and can't be marked.", cause);
  }
  if (document.isEncrypted) {
    throw notMarkable("The PDF is protected by a password or by restrictions and can't be marked.");
  }
  if (pages < 1) throw notMarkable("The PDF has no pages.");
  if (pages > mostPages) {
    throw new ExhibitError("policy.too-large", "The PDF has too many pages to be marked.", {
      hint: "Share it with --access original.",
      facts: { pages, mostPages },
    });
  }
  return document;
}

/**
 * Makes a PDF with the mark across and at the foot of every page. Only pages are taken over, so scripts, opening
 * actions, attachments and forms stay behind; what a filled-in form shows is drawn onto its page first.
 */
export async function makePdf(bytes: Buffer, mark: Mark): Promise<Buffer> {
  const source = await openPdf(bytes);
  try {
    flattenForm(source);
    for (const page of source.getPages()) disarm(page);
    const copy = await PDFDocument.create();
    const font = await copy.embedFont(StandardFonts.HelveticaBold);
    const sentence = encodable(markSentence(mark), font);
    for (const page of await copy.copyPages(source, source.getPageIndices())) {
      copy.addPage(page);
      drawMark(page, font, mark.shareId, sentence);
    }
    return Buffer.from(await copy.save());
  } catch (cause) {
    throw notMarkable("The PDF is damaged and can't be marked.", cause);
  }
}

function flattenForm(document: PDFDocument): void {
  try {
    const form = document.getForm();
    if (form.getFields().length > 0) form.flatten();
  } catch {
    // A form that can't be drawn is left out like any other widget.
  }
}

function disarm(page: PDFPage): void {
  const { node } = page;
  for (const name of dropped) if (name !== "Parent") node.delete(PDFName.of(name));
  const annotations = node.Annots();
  if (annotations === undefined) return;
  const kept = annotations.asArray().filter((entry) => {
    const annotation = page.doc.context.lookup(entry);
    if (!(annotation instanceof PDFDict)) return false;
    const subtype = annotation.get(PDFName.of("Subtype"));
    if (!(subtype instanceof PDFName) || !passive.has(subtype.decodeText())) return false;
    for (const name of dropped) annotation.delete(PDFName.of(name));
    return true;
  });
  const list = PDFArray.withContext(page.doc.context);
  for (const entry of kept) list.push(entry);
  node.set(PDFName.of("Annots"), list);
}

/** Draws as the reader sees the page: within its crop box, along its rotation. */
function drawMark(page: PDFPage, font: PDFFont, shareId: string, sentence: string): void {
  const box = page.getCropBox();
  const turn = ((page.getRotation().angle % 360) + 360) % 360;
  const sideways = turn % 180 === 90;
  const width = sideways ? box.height : box.width;
  const height = sideways ? box.width : box.height;
  const place = (x: number, y: number): { x: number; y: number } => {
    if (turn === 90) return { x: box.x + box.width - y, y: box.y + x };
    if (turn === 180) return { x: box.x + box.width - x, y: box.y + box.height - y };
    if (turn === 270) return { x: box.x + y, y: box.y + box.height - x };
    return { x: box.x + x, y: box.y + y };
  };
  const idSize = Math.min(width, height) * 0.09;
  for (const [x, y] of [
    [0.12, 0.12],
    [0.45, 0.32],
    [0.12, 0.55],
    [0.45, 0.75],
  ] as const) {
    page.drawText(shareId, {
      ...place(width * x, height * y),
      size: idSize,
      font,
      color: rgb(0.45, 0.45, 0.45),
      opacity: 0.28,
      rotate: degrees(turn + 30),
    });
  }
  const size = Math.min(9, (width * 0.94) / font.widthOfTextAtSize(sentence, 1));
  page.drawText(sentence, {
    ...place(width * 0.03, height * 0.012 + 2),
    size,
    font,
    color: rgb(0.6, 0, 0),
    rotate: degrees(turn),
  });
}

/** The built-in fonts know western letters only; others lose their accents or become `?`. The share id never does. */
function encodable(text: string, font: PDFFont): string {
  const known = new Set(font.getCharacterSet());
  let written = "";
  for (const letter of text.normalize("NFC")) {
    const plain = letter.normalize("NFD").charAt(0);
    const candidates = [letter, plain, "?"];
    written += candidates.find((one) => known.has(one.codePointAt(0) ?? -1)) ?? "";
  }
  return written;
}

function notMarkable(message: string, cause?: unknown): ExhibitError {
  return new ExhibitError("policy.type-not-markable", message, {
    hint: "Share it with --access original.",
    cause,
  });
}
