import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";

/** How long after its last segment a video counts as being watched: players fetch one every few seconds. */
const watchedForMs = 10_000;

/** What of which exhibit is being seen in which session: a file, or its signed documents. */
export interface StreamName {
  readonly session: string;
  readonly exhibit: string;
  /** The file, from 1; undefined for the exhibit's documents. */
  readonly ordinal: number | undefined;
}

/** What an open page is told: its share has ended, one exhibit of it, or only this session, which the code starts anew. */
export type PageEvent =
  | { readonly type: "ended" | "session-over" }
  | { readonly type: "exhibit-ended"; readonly exhibit: string };

/** A recipient's page that holds a line open to us. */
export interface OpenPage {
  readonly session: string;
  tell(event: PageEvent): void;
  /** Shows that the line still stands. */
  beat(): void;
  close(): void;
}

interface OpenStream extends StreamName {
  readonly controller: AbortController;
}

interface LiveShare {
  readonly streams: Set<OpenStream>;
  readonly pages: Set<OpenPage>;
  /** Streams by name, with when each was last fetched from. */
  readonly watched: Map<string, StreamName & { readonly at: number }>;
}

/** What is being sent to recipients right now, and which of their pages are open, by share. */
export class LiveShares {
  readonly #clock: Clock;
  readonly #shares = new Map<string, LiveShare>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The shares of which anything is open. */
  ids(): string[] {
    this.#prune();
    return [...this.#shares.keys()];
  }

  pages(share: string): OpenPage[] {
    return [...(this.#shares.get(share)?.pages ?? [])];
  }

  /** Enters content that is about to be sent. `signal` is aborted when it is cut; `end` takes it out again. */
  begin(share: string, name: StreamName): { signal: AbortSignal; end: () => void } {
    const live = this.#live(share);
    const stream: OpenStream = { ...name, controller: new AbortController() };
    live.streams.add(stream);
    return {
      signal: stream.controller.signal,
      end: () => {
        live.streams.delete(stream);
      },
    };
  }

  /** Notes that a segment of a video went out: it is being watched, though nothing may be on its way right now. */
  watching(share: string, name: StreamName): void {
    this.#live(share).watched.set(wordFor(name), { ...name, at: this.#clock.now().getTime() });
  }

  /** Enters an open page; returns how to take it out. */
  open(share: string, page: OpenPage): () => void {
    const live = this.#live(share);
    live.pages.add(page);
    return () => {
      live.pages.delete(page);
    };
  }

  /**
   * Stops everything of a share, or of one exhibit of it, at once: responses are broken off, pages are told.
   * Returns the streams that were being served or watched.
   */
  cut(share: string, exhibit?: string): StreamName[] {
    this.#prune();
    const live = this.#shares.get(share);
    if (live === undefined) return [];
    const concerned = (name: StreamName): boolean =>
      exhibit === undefined || name.exhibit === exhibit;
    const cut = new Map<string, StreamName>();
    for (const stream of [...live.streams].filter(concerned)) {
      cut.set(wordFor(stream), stream);
      stream.controller.abort();
    }
    for (const [word, stream] of [...live.watched].filter(([, name]) => concerned(name))) {
      cut.set(word, stream);
      live.watched.delete(word);
    }
    for (const page of live.pages) {
      page.tell(exhibit === undefined ? { type: "ended" } : { type: "exhibit-ended", exhibit });
      if (exhibit === undefined) page.close();
    }
    return [...cut.values()].map(({ session, exhibit: of, ordinal }) => ({
      session,
      exhibit: of,
      ordinal,
    }));
  }

  /** Lets go of every page and response, telling pages nothing: the server stops, the shares go on. */
  close(): void {
    const stopping = new ExhibitError("unavailable.store", "The server is stopping.");
    for (const live of this.#shares.values()) {
      for (const stream of live.streams) stream.controller.abort(stopping);
      for (const page of live.pages) page.close();
    }
    this.#shares.clear();
  }

  #live(share: string): LiveShare {
    const known = this.#shares.get(share);
    if (known !== undefined) return known;
    const live: LiveShare = { streams: new Set(), pages: new Set(), watched: new Map() };
    this.#shares.set(share, live);
    return live;
  }

  #prune(): void {
    const since = this.#clock.now().getTime() - watchedForMs;
    for (const [share, live] of this.#shares) {
      for (const [word, { at }] of live.watched) if (at < since) live.watched.delete(word);
      const busy = live.streams.size + live.pages.size + live.watched.size;
      if (busy === 0) this.#shares.delete(share);
    }
  }
}

function wordFor({ session, exhibit, ordinal }: StreamName): string {
  return `${session} ${exhibit} ${ordinal ?? "documents"}`;
}
