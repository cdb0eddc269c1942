import type { UploadRequest } from "../app/upload.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { RetentionPeriod } from "../evidence/retention.ts";
import { missing } from "./input.ts";
import { instantOf } from "../evidence/wall-clock.ts";

/** What `--retain-until`, `--retain-mode` and `--legal-hold` say. A day is kept to its end. @throws ExhibitError `usage.*` */
export function retentionGiven(
  options: Readonly<Record<string, unknown>>,
  now: Date,
): Pick<UploadRequest, "retention"> {
  const until = options["retainUntil"] as string | undefined;
  const mode = options["retainMode"] as RetentionPeriod["mode"] | undefined;
  const legalHold = options["legalHold"] === true;
  if (until === undefined) {
    if (mode !== undefined) throw missing("--retain-until, which goes with --retain-mode,");
    return legalHold ? { retention: { legalHold } } : {};
  }
  const zone = options["timeZone"] as string | undefined;
  const machineZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const time = /^\d{4}-\d{2}-\d{2}$/.test(until) ? `${until} 23:59:59` : until;
  const instant = new Date(instantOf(time, zone ?? machineZone, "--retain-until"));
  if (instant.getTime() <= now.getTime()) {
    throw new ExhibitError("usage.invalid", `--retain-until ${until} is over.`, {
      hint: "Give a day or a time to come.",
    });
  }
  // Stores keep whole seconds: the next one, so that it is never shorter than what was asked for.
  const seconds = Math.ceil(instant.getTime() / 1000);
  const period = {
    mode: mode ?? "governance",
    until: new Date(seconds * 1000).toISOString(),
  } as const;
  return { retention: { period, legalHold } };
}
