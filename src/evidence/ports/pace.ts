/** How fast bytes may leave and reach this machine: one for all transfers of a process. */
export interface Pace {
  /** The most that should be moved at once, in bytes, so that a slow pace is an even one. */
  readonly strideBytes: number;
  /** Settles when `bytes` more may move; at once where nothing is limited. In order of asking. @throws the signal's reason */
  wait(bytes: number, signal: AbortSignal): Promise<void>;
}
