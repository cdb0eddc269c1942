/** What is put into every copy made for a share, so that a copy found elsewhere tells where it came from. */
export interface Mark {
  /** `S` and nine characters that are not mistaken for each other; see `shareSchema`. */
  readonly shareId: string;
  /** The one person the share is for. */
  readonly recipient: string;
  /** Who shares. */
  readonly organisation: string;
  /** The exhibit's reference, e.g. `ABC/1`. */
  readonly reference: string;
  /** When it is being viewed: now, at each call. */
  readonly at: Date;
}
