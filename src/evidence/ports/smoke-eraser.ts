/** Erases synthetic material from a content store, and can erase nothing else: every key passes `requireSmokeKey` first. */
export interface SmokeEraser {
  /** @throws `policy.unsupported` where what is written now could not be erased for a while, before anything is written */
  requireErasable(signal: AbortSignal): Promise<void>;
  /** Erases a key, all its versions included; one that is not there is no error. @throws `policy.not-permitted`, `unavailable.*` */
  erase(key: string, signal: AbortSignal): Promise<void>;
}
