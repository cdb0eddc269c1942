/** A page on which people without an account can hand files in, for one case. */
export interface FileRequest {
  /** As the store calls it. */
  readonly id: string;
  readonly case: string;
  /** What the page is headed with, where it is known. */
  readonly title?: string | undefined;
  readonly url: string;
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
  readonly state: "open" | "expired" | "closed" | "gone";
}

export interface FileRequestWanted {
  readonly case: string;
  /** The request in the store that this one is a copy of. */
  readonly template: string;
  /** Left out, the template's. */
  readonly title: string | undefined;
  readonly expiresAt: string;
}

/** Asks people outside for files. What they hand in is no exhibit before somebody uploads it as one. @throws `not-found.request`, `policy.*` */
export interface Requests {
  create(wanted: FileRequestWanted, signal: AbortSignal): Promise<FileRequest>;
  /** Newest first. */
  list(signal: AbortSignal): Promise<FileRequest[]>;
  /** Nobody can hand anything in any more. Repeating it succeeds. @throws `policy.role` */
  close(id: string, signal: AbortSignal): Promise<FileRequest>;
}
