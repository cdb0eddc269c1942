import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Store } from "../../evidence/ports/store.ts";
import { makeAudio } from "./audio.ts";
import { CopyShelf, type CopyName, type MakeCopy } from "./copy-shelf.ts";
import { createFfmpeg } from "./ffmpeg.ts";
import { findFont } from "./font.ts";
import { makeImage } from "./image.ts";
import type { Mark } from "./mark.ts";
import { factsOf, failureOf, readWhole, type Facts } from "./master-facts.ts";
import { createTaps, type Tap } from "./master-tap.ts";
import { createPdfPress } from "./pdf-press.ts";
import { playlistOf } from "./playlist.ts";
import { makeSegment } from "./segment.ts";
import { spanOf, type SegmentSpan } from "./segment-plan.ts";
import { createTurns } from "./turns.ts";

/** The kinds of material that a mark can be put into. */
export type MarkableKind = "video" | "audio" | "image" | "pdf";

/** One file of a sealed exhibit, as its record states it. Never changes, so facts about it may be remembered. */
export interface Master {
  readonly key: string;
  /** What the record says; what the bytes say decides. */
  readonly mediaType: string;
  readonly sizeBytes: number;
}

/** A marked copy, whole. */
export interface Copy {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * Marked working copies of masters, made when asked for and kept for a few minutes under `<scratch>/<shareId>/`.
 * The master is only ever read, through the Store port. Nobody is checked here: the caller knows that the share is
 * open, and aborts `signal` when it stops being so (a signal that is already aborted makes nothing).
 *
 * Errors of all that take a master: `policy.type-not-markable` (hint: `--access original`), `policy.too-large`,
 * `unavailable.program` (ffmpeg is missing), `unavailable.busy` (took too long), and the store's own.
 */
export interface Renditions {
  /** Decides by content whether copies of `master` can be marked. For use when a share is made. */
  canMark(master: Master, signal: AbortSignal): Promise<MarkableKind>;
  /**
   * The HLS media playlist of a video (`application/vnd.apple.mpegurl`, complete from the start). `segmentUrl` gives
   * the address of segment n, relative to the playlist or absolute; it holds no spaces or line ends.
   */
  playlist(
    master: Master,
    segmentUrl: (index: number) => string,
    signal: AbortSignal,
  ): Promise<string>;
  /** Segment `index` (from 0) as MPEG-TS (`video/mp2t`), the mark burnt in. @throws `not-found.content` behind the last */
  segment(master: Master, index: number, mark: Mark, signal: AbortSignal): Promise<Copy>;
  /** A marked JPEG of an image. */
  image(master: Master, mark: Mark, signal: AbortSignal): Promise<Copy>;
  /** A PDF with the mark on every page and without anything active in it. */
  pdf(master: Master, mark: Mark, signal: AbortSignal): Promise<Copy>;
  /** An MP3 of a recording with audible tones at its start and at intervals. */
  audio(master: Master, mark: Mark, signal: AbortSignal): Promise<Copy>;
  /** Kills what is being made for a share and removes every copy of it from the disk. Resolves when both are done. */
  forget(shareId: string): Promise<void>;
  /** As `forget` for every share; nothing can be asked for afterwards. */
  close(): Promise<void>;
}

export interface RenditionOptions {
  readonly content: Store;
  /** A folder of our own; emptied at the start, holds nothing that must last. */
  readonly scratch: string;
}

const shelfLimits = { mostBytes: 512 * 1024 ** 2, freshMs: 5 * 60_000 };
const rememberedFacts = 500;
const fontName = "font.ttf";
/** A run's folder is `<scratch>/<share>/<work>`; the font lies in `<scratch>`. */
const fontFromWork = `../../${fontName}`;

/** Makes the {@link Renditions} of a server. Needs ffmpeg 5.1 or newer, which is looked for when first needed. */
export function createRenditions({ content, scratch }: RenditionOptions): Renditions {
  // All work on masters takes turns, wherever it is done, so that no share keeps the others from theirs.
  const turns = createTurns(availableParallelism());
  const ffmpeg = createFfmpeg(turns);
  const pdfPress = createPdfPress(turns);
  const taps = createTaps(content);
  const shelf = new CopyShelf(scratch, shelfLimits);
  const known = new Map<string, Facts>();
  const closing = new AbortController();
  const emptied = empty(scratch);
  let font: Promise<void> | undefined;

  async function facts(master: Master, signal: AbortSignal): Promise<Facts> {
    const remembered = known.get(master.key);
    if (remembered !== undefined) return remembered;
    await emptied;
    const tools = { content, ffmpeg, pdfPress, taps, folder: scratch };
    const found = await factsOf(tools, master, AbortSignal.any([signal, closing.signal]));
    if (known.size >= rememberedFacts) known.clear();
    known.set(master.key, found);
    return found;
  }

  async function factsOfKind<K extends MarkableKind>(
    kind: K,
    master: Master,
    signal: AbortSignal,
  ): Promise<Extract<Facts, { kind: K }>> {
    const found = await facts(master, signal);
    if (found.kind === kind) return found as Extract<Facts, { kind: K }>;
    throw new ExhibitError("not-found.content", `This file is not of the kind ${kind}.`);
  }

  async function placeFont(): Promise<void> {
    await copyFile(await findFont(), join(scratch, fontName));
  }

  /** Runs `make` with the master tapped, and tells the store's failures from the master's. */
  async function tapped(master: Master, make: (tap: Tap) => Promise<Buffer>): Promise<Buffer> {
    const tap = await taps.open(master.key, master.sizeBytes);
    try {
      return await make(tap);
    } catch (error) {
      throw failureOf(error, tap.failure());
    } finally {
      tap.close();
    }
  }

  async function copy(
    what: string,
    mediaType: string,
    master: Master,
    mark: Mark,
    signal: AbortSignal,
    make: MakeCopy,
  ): Promise<Copy> {
    await emptied;
    closing.signal.throwIfAborted();
    const bytes = await shelf.get(nameOf(what, master, mark), make, signal);
    return { mediaType, bytes };
  }

  function makerOf(master: Master, video: VideoMaster, span: SegmentSpan, mark: Mark): MakeCopy {
    return async (folder, signal) => {
      try {
        await (font ??= placeFont());
      } catch (error) {
        // It may be installed before the next request.
        font = undefined;
        throw error;
      }
      const { picture, sound } = video.media;
      return tapped(master, ({ url, environment }) => {
        const source = { url, picture, sound, plan: video.plan, fontFile: fontFromWork };
        return makeSegment(ffmpeg, source, span, mark, {
          party: mark.shareId,
          folder,
          signal,
          environment,
        });
      });
    };
  }

  /** Makes the segment that will be asked for next, where that takes nothing from anyone. */
  function readAhead(master: Master, video: VideoMaster, index: number, mark: Mark): void {
    const span = spanOf(video.plan, index);
    const name = nameOf(`segment ${index}`, master, mark);
    if (span === undefined || !turns.free(mark.shareId) || shelf.has(name)) return;
    shelf.get(name, makerOf(master, video, span, mark), closing.signal).catch(() => undefined);
  }

  return {
    async canMark(master, signal) {
      return (await facts(master, signal)).kind;
    },
    async playlist(master, segmentUrl, signal) {
      const { plan } = await factsOfKind("video", master, signal);
      return playlistOf(plan, segmentUrl);
    },
    async segment(master, index, mark, signal) {
      const video = await factsOfKind("video", master, signal);
      const span = spanOf(video.plan, index);
      if (span === undefined) {
        throw new ExhibitError("not-found.content", `The video has no segment ${index}.`);
      }
      const make = makerOf(master, video, span, mark);
      const made = await copy(`segment ${index}`, "video/mp2t", master, mark, signal, make);
      signal.throwIfAborted();
      readAhead(master, video, index + 1, mark);
      return made;
    },
    async image(master, mark, signal) {
      await factsOfKind("image", master, signal);
      return copy("image", "image/jpeg", master, mark, signal, (_folder, stop) =>
        turns.take(mark.shareId, stop, async () =>
          makeImage(await readWhole(content, master, stop), mark),
        ),
      );
    },
    async pdf(master, mark, signal) {
      await factsOfKind("pdf", master, signal);
      return copy("pdf", "application/pdf", master, mark, signal, (folder, stop) =>
        pdfPress.copy(() => readWhole(content, master, stop), mark, {
          party: mark.shareId,
          folder,
          signal: stop,
        }),
      );
    },
    async audio(master, mark, signal) {
      const { media } = await factsOfKind("audio", master, signal);
      return copy("audio", "audio/mpeg", master, mark, signal, (folder, stop) =>
        tapped(master, ({ url, environment }) =>
          makeAudio(ffmpeg, url, media, mark, {
            party: mark.shareId,
            folder,
            signal: stop,
            environment,
          }),
        ),
      );
    },
    async forget(shareId) {
      await emptied;
      await shelf.forget(shareId);
    },
    async close() {
      closing.abort(new ExhibitError("unavailable.busy", "The server is shutting down."));
      await emptied;
      await shelf.close();
      await taps.close();
    },
  };
}

type VideoMaster = Extract<Facts, { kind: "video" }>;

function nameOf(what: string, master: Master, mark: Mark): CopyName {
  const { shareId, recipient, organisation, reference, at } = mark;
  const content = JSON.stringify([what, master.key, recipient, organisation, reference]);
  return { shareId, content, at };
}

async function empty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
