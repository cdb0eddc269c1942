/** How fast bytes may leave this machine: one for all transfers of a process. */
export interface Pace {
  /** Settles when `bytes` more may go out; at once where nothing is limited. @throws the signal's reason */
  wait(bytes: number, signal: AbortSignal): Promise<void>;
}
