import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { PDFDocument, PDFName, PDFString } from "@cantoo/pdf-lib";
import sharp from "sharp";
import { hasCode } from "../../../src/evidence/errors.ts";
import type { Mark } from "../../../src/server/watermark/mark.ts";
import {
  toneInterval,
  toneSeconds,
  toneStride,
  tonesOf,
} from "../../../src/server/watermark/tones.ts";
import { clip, jpegPhoto, pdfStatement, pngPicture } from "../../support/media.ts";
import { reads } from "../../support/ocr.ts";
import { piped, samplesOf } from "./inspect.ts";
import { mark, markingRig, never, type MarkingRig } from "./rig.ts";

/** Strength of one frequency in a stretch of sound (Goertzel), 48 kHz. */
function strength(samples: Float32Array, from: number, seconds: number, hz: number): number {
  const first = Math.round(from * 48_000);
  const turn = 2 * Math.cos((2 * Math.PI * hz) / 48_000);
  let [last, before] = [0, 0];
  for (let at = first; at < first + seconds * 48_000; at += 1) {
    [last, before] = [(samples[at] ?? 0) + turn * last - before, last];
  }
  return last * last + before * before - turn * last * before;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Reads the share id that a copy's tones spell from `from` seconds on. */
function heard(samples: Float32Array, from: number): string {
  let id = "";
  for (let place = 0; place < 10; place += 1) {
    const at = from + place * toneStride + toneSeconds * 0.15;
    const strengths = Array.from(alphabet, (letter) =>
      strength(samples, at, toneSeconds * 0.7, tonesOf(letter)[0] ?? 0),
    );
    id += alphabet.charAt(strengths.indexOf(Math.max(...strengths)));
  }
  return id;
}

async function booby(): Promise<Buffer> {
  const document = await PDFDocument.load(await pdfStatement(2));
  document.addJavaScript("greet", "app.alert('SCRIPT-MARKER')");
  await document.attach(Buffer.from("ATTACHED"), "attached-marker.txt", {});
  const { context } = document;
  const action = { S: "URI", URI: PDFString.of("http://action-marker.example/") };
  document.catalog.set(PDFName.of("OpenAction"), context.obj(action));
  const page = document.getPage(0);
  page.node.set(PDFName.of("AA"), context.obj({ O: action }));
  const link = { Type: "Annot", Subtype: "Link", Rect: [0, 0, 200, 200], A: action };
  const box = { Type: "Annot", Subtype: "Square", Rect: [50, 50, 90, 90], A: action };
  page.node.set(PDFName.of("Annots"), context.obj([link, box]));
  return Buffer.from(await document.save({ useObjectStreams: false }));
}

describe("marked copies", () => {
  let rig: MarkingRig;
  beforeAll(async () => {
    rig = await markingRig();
  });
  afterAll(() => rig.close());

  it("of a photograph are upright JPEGs without metadata on which the share id can be read", async () => {
    const master = await rig.add(await jpegPhoto(), "jpg");
    expect(await rig.renditions.canMark(master, never)).toBe("image");
    const copy = await rig.renditions.image(master, mark, never);
    expect(copy.mediaType).toBe("image/jpeg");
    const { format, width, height, exif, orientation } = await sharp(copy.bytes).metadata();
    expect({ format, width, height, exif, orientation }).toEqual({
      format: "jpeg",
      width: 600,
      height: 800,
      exif: undefined,
      orientation: undefined,
    });
    expect(await reads(copy.bytes, mark.shareId)).toBe(true);
  });

  it("of a transparent PNG are marked too, small ones enlarged so that the mark fits", async () => {
    const master = await rig.add(await pngPicture(200, 120), "png");
    const copy = await rig.renditions.image(master, mark, never);
    expect((await sharp(copy.bytes).metadata()).height).toBe(480);
    expect(await reads(copy.bytes, mark.shareId)).toBe(true);
  });

  it("of an image carry hostile text as text", async () => {
    const master = await rig.add(await pngPicture(1000, 600), "png");
    const hostile: Mark = {
      ...mark,
      recipient: `</text><image href="/etc/passwd"/>&"'`,
      at: new Date(),
    };
    const copy = await rig.renditions.image(master, hostile, never);
    expect(await reads(copy.bytes, mark.shareId)).toBe(true);
  });

  it("of a PDF carry the mark on every page, and nothing that acts or is attached", async () => {
    const master = await rig.add(await booby(), "pdf");
    expect(await rig.renditions.canMark(master, never)).toBe("pdf");
    const copy = await rig.renditions.pdf(master, { ...mark, recipient: "Łucja 山田" }, never);
    const pages = (await piped("pdftotext", ["-layout", "-", "-"], copy.bytes)).toString("utf8");
    const [first = "", second = ""] = pages.split("\f");
    for (const page of [first, second]) {
      expect(page).toContain(mark.shareId);
      expect(page).toContain("viewed 2026-11-22 10:37 UTC");
    }
    expect(first).toContain("Witness statement, page 1");
    const plain = Buffer.from(
      await (await PDFDocument.load(copy.bytes)).save({ useObjectStreams: false }),
    ).toString("latin1");
    expect(plain).toContain("/Square");
    for (const word of [
      "MARKER",
      "marker",
      "JavaScript",
      "OpenAction",
      "/AA",
      "EmbeddedFile",
      "/Link",
    ]) {
      expect(plain).not.toContain(word);
    }
  });

  it.each(["call", "callMp3"] as const)(
    "of a recording (%s) spell the share id in tones at the start and at intervals",
    async (name) => {
      const path = await clip(name);
      const master = await rig.addFile(path);
      expect(await rig.renditions.canMark(master, never)).toBe("audio");
      const copy = await rig.renditions.audio(master, mark, never);
      expect(copy.mediaType).toBe("audio/mpeg");
      const samples = await samplesOf(copy.bytes);
      const durationSeconds = (await samplesOf(await readFile(path))).length / 48_000;
      expect(samples.length / 48_000).toBeCloseTo(durationSeconds, 0);
      for (let from = 0; from + 2 < durationSeconds; from += toneInterval) {
        // MP3 decoders hand out the encoder's lead-in as well: 1105 samples at 24 kHz.
        expect(heard(samples, from + 1105 / 24_000)).toBe(mark.shareId);
      }
    },
  );

  const hostile = {
    "a playlist":
      "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "a concat script": "ffconcat version 1.0\nfile '/etc/passwd'\n",
    "a DASH manifest": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "an SDP":
      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    subtitles: "1\n00:00:01,000 --> 00:00:02,000\nhello\n",
    "plain text": "Statement of a witness\n",
    "an SVG": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "nothing at all": "",
    "a broken JPEG": "\xff\xd8\xff\xe0 not a picture",
    "a broken PDF": "%PDF-1.7\nnothing follows",
  };

  it.each(Object.entries(hostile))(
    "are refused for %s that calls itself an MP4",
    async (_, text) => {
      const master = await rig.add(Buffer.from(text, "latin1"));
      const refusal: unknown = await rig.renditions.canMark(master, never).catch((e: unknown) => e);
      expect(hasCode(refusal, "policy.type-not-markable") && refusal.hint).toMatch(
        "--access original",
      );
    },
  );

  it("are refused for an image that claims more pixels than we decode", async () => {
    const bytes = await jpegPhoto();
    // Height and width in the frame header (SOF0 or SOF2).
    const frame = Math.max(bytes.indexOf("ffc0", "hex"), bytes.indexOf("ffc2", "hex"));
    bytes.writeUInt32BE(0xea60_ea60, frame + 5);
    const refusal: unknown = await rig.renditions
      .canMark(await rig.add(bytes, "jpg"), never)
      .catch((e: unknown) => e);
    expect(hasCode(refusal, "policy.too-large")).toBe(true);
  });

  it("are refused for a file of another kind than was asked for", async () => {
    const master = await rig.add(await pngPicture(), "png");
    await expect(rig.renditions.segment(master, 0, mark, never)).rejects.toMatchObject({
      code: "not-found.content",
    });
  });

  it("are gone from the disk once their share is forgotten, and so is what was being made", async () => {
    const master = await rig.addFile(await clip("plain"));
    const other: Mark = { ...mark, shareId: "SAAAAAAAAA" };
    const running = rig.renditions.segment(master, 2, other, never).catch((e: unknown) => e);
    const begun = async (): Promise<boolean> =>
      (await readdir(join(rig.scratch, other.shareId)).catch(() => [])).length > 0;
    while (!(await begun())) await nextTurn();
    await rig.renditions.forget(other.shareId);
    expect(hasCode(await running, "not-found.share")).toBe(true);
    const names = await readdir(rig.scratch);
    expect(names).not.toContain(other.shareId);
    expect(names).toContain(mark.shareId);
    const stopped = AbortSignal.abort(new Error("revoked"));
    await expect(rig.renditions.segment(master, 0, other, stopped)).rejects.toThrow("revoked");
    expect(await readdir(rig.scratch)).not.toContain(other.shareId);
  });

  it("are made once for two requests, and again when the time in them is old", async () => {
    const master = await rig.addFile(await clip("plain"));
    const segment = (at: Date): Promise<Buffer> =>
      rig.renditions.segment(master, 1, { ...mark, at }, never).then(({ bytes }) => bytes);
    const [one, two] = await Promise.all([segment(mark.at), segment(mark.at)]);
    expect(one).toBe(two);
    const soon = await segment(new Date(mark.at.getTime() + 4 * 60_000));
    expect(soon.equals(one)).toBe(true);
    const later = await segment(new Date(mark.at.getTime() + 6 * 60_000));
    expect(later.equals(one)).toBe(false);
  });

  it("do not stop for one when another who waits for the same leaves", async () => {
    const master = await rig.addFile(await clip("plain"));
    const leaving = new AbortController();
    const at = new Date("2026-11-23T00:00:00Z");
    const first = rig.renditions.segment(master, 0, { ...mark, at }, leaving.signal);
    const second = rig.renditions.segment(master, 0, { ...mark, at }, never);
    leaving.abort(new Error("left"));
    await expect(first).rejects.toThrow("left");
    expect((await second).bytes.length).toBeGreaterThan(10_000);
  });
});
