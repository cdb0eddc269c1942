import type { Store } from "../../evidence/ports/store.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Mark } from "./mark.ts";

/** The kinds of material that a mark can be put into. */
export type MarkableKind = "video" | "audio" | "image" | "pdf";

/** One file of a sealed exhibit, as its record states it. Never changes, so facts about it may be remembered. */
export interface Master {
  readonly key: string;
  /** What the record says; what the bytes say decides. */
  readonly mediaType: string;
  readonly sizeBytes: number;
}

/** What a page needs to know of a master before it asks for copies. */
export interface Description {
  readonly kind: MarkableKind;
  /** Length of a video or a recording. */
  readonly durationSeconds?: number;
  /** Size of the picture as it will be shown (rotation respected, scaled), of a video or an image. */
  readonly width?: number;
  readonly height?: number;
  /** How many segments a video has; they are numbered from 0. */
  readonly segments?: number;
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
  describe(master: Master, signal: AbortSignal): Promise<Description>;
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

/** Makes the {@link Renditions} of a server. Needs ffmpeg 5.1 or newer, which is looked for when first needed. */
export function createRenditions(options: RenditionOptions): Renditions {
  const unbuilt = (): Promise<never> =>
    Promise.reject(
      new ExhibitError(
        "policy.type-not-markable",
        `Marked copies are not built yet (${options.scratch}).`,
      ),
    );
  return {
    canMark: unbuilt,
    describe: unbuilt,
    playlist: unbuilt,
    segment: unbuilt,
    image: unbuilt,
    pdf: unbuilt,
    audio: unbuilt,
    forget: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
