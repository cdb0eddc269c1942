/** What was met already in a list that is too long for memory; kept on this machine's disk until it is closed. */
export interface Seen {
  /** Notes `about` under a name that is new; gives back what was noted under it where it is not. */
  note(name: string, about: string): string | undefined;
  close(): void;
}
