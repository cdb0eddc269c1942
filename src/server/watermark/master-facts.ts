import { ExhibitError } from "../../evidence/errors.ts";
import type { Store } from "../../evidence/ports/store.ts";
import { refuseTooLong } from "./audio.ts";
import type { Ffmpeg } from "./ffmpeg.ts";
import { sizeOf } from "./image.ts";
import { RunFailed } from "./limited-run.ts";
import type { Taps } from "./master-tap.ts";
import type { PdfPress } from "./pdf-press.ts";
import { probe, type MediaFacts, type PictureFacts } from "./probe.ts";
import type { Master } from "./renditions.ts";
import { planOf, type SegmentPlan } from "./segment-plan.ts";

/** What is read into memory whole: images and PDF. */
const mostWholeBytes = 100 * 1024 ** 2;
const headBytes = 1024;

export interface VideoFacts extends MediaFacts {
  readonly picture: PictureFacts;
}

/** What a master is, by its bytes. */
export type Facts =
  | { readonly kind: "video"; readonly media: VideoFacts; readonly plan: SegmentPlan }
  | { readonly kind: "audio"; readonly media: MediaFacts }
  | { readonly kind: "image" }
  | { readonly kind: "pdf" };

export interface FactsTools {
  readonly content: Store;
  readonly ffmpeg: Ffmpeg;
  readonly pdfPress: PdfPress;
  readonly taps: Taps;
  /** A folder that programs may stand in; nothing is written to it. */
  readonly folder: string;
}

/**
 * Finds out what a master is: images and PDF by their first bytes and by opening them, anything else by what ffprobe
 * makes of it. The name and the stated type decide nothing.
 *
 * @throws ExhibitError `policy.type-not-markable`, `policy.too-large`
 */
export async function factsOf(
  tools: FactsTools,
  master: Master,
  signal: AbortSignal,
): Promise<Facts> {
  if (master.sizeBytes === 0) throw notMarkable();
  const head = await readRange(
    tools.content,
    master,
    Math.min(headBytes, master.sizeBytes),
    signal,
  );
  if (head.includes("%PDF-")) {
    await tools.pdfPress.check(() => readWhole(tools.content, master, signal), {
      party: master.key,
      folder: tools.folder,
      signal,
    });
    return { kind: "pdf" };
  }
  if (looksLikeImage(head)) {
    await checkImage(await readWhole(tools.content, master, signal));
    return { kind: "image" };
  }
  return mediaFacts(tools, master, signal);
}

async function mediaFacts(
  { ffmpeg, taps, folder }: FactsTools,
  master: Master,
  signal: AbortSignal,
): Promise<Facts> {
  const tap = await taps.open(master.key, master.sizeBytes);
  try {
    const media = await probe(ffmpeg, tap.url, {
      party: master.key,
      folder,
      signal,
      environment: tap.environment,
    });
    if (!(media.durationSeconds > 0)) throw notMarkable();
    const { picture } = media;
    if (picture !== undefined) {
      const video: VideoFacts = { ...media, picture };
      return { kind: "video", media: video, plan: planOf(video) };
    }
    if (media.sound === undefined) throw notMarkable();
    refuseTooLong(media);
    return { kind: "audio", media };
  } catch (error) {
    throw failureOf(error, tap.failure());
  } finally {
    tap.close();
  }
}

/** What a failed run of ffmpeg means: the store's own failure if it had one, else a master that can't be decoded. */
export function failureOf(error: unknown, ofStore: Error | undefined): unknown {
  if (!(error instanceof RunFailed)) return error;
  return ofStore ?? notMarkable(error);
}

/** Reads a master that fits in memory. @throws ExhibitError `policy.too-large` over 100 MiB */
export async function readWhole(
  content: Store,
  master: Master,
  signal: AbortSignal,
): Promise<Buffer> {
  if (master.sizeBytes > mostWholeBytes) {
    throw new ExhibitError("policy.too-large", "The file is too large to be marked.", {
      hint: "Share it with --access original.",
      facts: { sizeBytes: master.sizeBytes, mostBytes: mostWholeBytes },
    });
  }
  return readRange(content, master, master.sizeBytes, signal);
}

async function readRange(
  content: Store,
  master: Master,
  end: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const stream = await content.open(master.key, { start: 0, end }, signal);
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function checkImage(bytes: Buffer): Promise<void> {
  try {
    await sizeOf(bytes);
  } catch (error) {
    throw error instanceof ExhibitError ? error : notMarkable(error);
  }
}

function looksLikeImage(head: Buffer): boolean {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, at) => head[at] === byte);
  return (
    starts(0xff, 0xd8, 0xff) ||
    starts(0x89, 0x50, 0x4e, 0x47) ||
    starts(0x49, 0x49, 0x2a, 0x00) ||
    starts(0x4d, 0x4d, 0x00, 0x2a) ||
    (head.subarray(0, 4).equals(Buffer.from("RIFF")) &&
      head.subarray(8, 12).equals(Buffer.from("WEBP")))
  );
}

export function notMarkable(cause?: unknown): ExhibitError {
  return new ExhibitError(
    "policy.type-not-markable",
    "This type of file can't be marked, so it can't be shared for viewing.",
    { hint: "Share it with --access original.", cause },
  );
}
