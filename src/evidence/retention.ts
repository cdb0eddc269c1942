import { z } from "zod";

/**
 * How a store keeps an object against being deleted or changed by anyone: for a time, until a hold is lifted, or both. The time
 * can be shortened by those with a special right (`governance`) or by nobody (`compliance`).
 */
export const retentionSchema = z.strictObject({
  period: z
    .strictObject({
      mode: z.enum(["governance", "compliance"]),
      until: z.iso.datetime({ offset: true }),
    })
    .optional(),
  legalHold: z.boolean(),
});
export type Retention = z.infer<typeof retentionSchema>;
export type RetentionPeriod = NonNullable<Retention["period"]>;

/** Whether what a store shows is all that was asked for; stores keep times to the second. */
export function keepsAs(shown: Retention, asked: Retention): boolean {
  const inTime = asked.period === undefined || lastsAs(shown.period, asked.period);
  return inTime && (shown.legalHold || !asked.legalHold);
}

/** Whether a period is as long and as strict as another, or more so. */
export function lastsAs(shown: RetentionPeriod | undefined, asked: RetentionPeriod): boolean {
  if (shown === undefined || Date.parse(shown.until) <= Date.parse(asked.until) - 1000)
    return false;
  return shown.mode === "compliance" || asked.mode === "governance";
}
