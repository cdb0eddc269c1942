import type { ServerDeps } from "../deps.ts";
import type { Renditions } from "../watermark/renditions.ts";
import type { Outbox } from "../mail/outbox.ts";
import type { CodeAttempts } from "./code-attempts.ts";
import type { LateLog } from "./late-log.ts";
import type { LiveShares } from "./live-shares.ts";

/** What the officer's routes and the recipient's pages have in common. */
export interface ShareDesk {
  readonly deps: ServerDeps;
  readonly renditions: Renditions;
  readonly live: LiveShares;
  readonly attempts: CodeAttempts;
  readonly late: LateLog;
  /** Where this server can send mail. */
  readonly outbox: Outbox | undefined;
}
