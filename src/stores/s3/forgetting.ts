import { z } from "zod";
import type { S3Bucket } from "./bucket.ts";
import { failureOf } from "./failures.ts";
import { readXml } from "./xml.ts";

/** A rule by which a bucket forgets unfinished uploads. */
export interface ForgettingRule {
  /** Of objects whose keys begin with it. */
  readonly prefix: string;
  readonly days: number;
}

const prefixSchema = z.object({ Prefix: z.string().default("") });
const rulesSchema = z.object({
  Rule: z
    .array(
      z.object({
        Status: z.string(),
        Prefix: z.string().default(""),
        // An element without anything in it is read as a text without anything in it.
        Filter: z
          .union([prefixSchema.extend({ And: prefixSchema.optional() }), z.literal("")])
          .optional(),
        AbortIncompleteMultipartUpload: z.object({ DaysAfterInitiation: z.string() }).optional(),
      }),
    )
    .default([]),
});

/** The bucket's rules that forget uploads; none where it has none or does not tell these keys. @throws ExhibitError `unavailable.*` */
export async function forgettingRules(
  bucket: S3Bucket,
  signal: AbortSignal,
): Promise<readonly ForgettingRule[]> {
  const query = { lifecycle: "" };
  const answer = await bucket.send({ method: "GET", key: undefined, query }, signal);
  if (answer.status >= 500 && answer.status !== 501) throw failureOf(answer);
  if (answer.status >= 300) return [];
  const rules = readXml(answer.body, "LifecycleConfiguration", rulesSchema)?.Rule ?? [];
  return rules.flatMap(({ Status, Prefix, Filter, AbortIncompleteMultipartUpload: abort }) => {
    if (Status !== "Enabled" || abort === undefined) return [];
    const filter = typeof Filter === "object" ? (Filter.And?.Prefix ?? Filter.Prefix) : "";
    return [{ prefix: filter === "" ? Prefix : filter, days: Number(abort.DaysAfterInitiation) }];
  });
}

/** When an upload of an object is forgotten at the earliest; undefined where no rule is about it. */
export function forgottenAt(
  rules: readonly ForgettingRule[],
  object: string,
  startedAt: string,
): string | undefined {
  const days = rules.filter(({ prefix }) => object.startsWith(prefix)).map((rule) => rule.days);
  if (days.length === 0) return undefined;
  return new Date(Date.parse(startedAt) + Math.min(...days) * 86_400_000).toISOString();
}
