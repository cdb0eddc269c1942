import { z } from "zod";
import type { BoxApi } from "../api.ts";
import { bodyOf } from "../api.ts";

const item = <Value>(value: z.ZodType<Value>) =>
  z.object({ value: value.nullish().catch(undefined) }).nullish();

const sharingSchema = z.object({
  shared_link_access: item(z.string()),
  shared_link_default_access: item(z.string()),
  is_shared_links_expiration_enabled: item(z.boolean()),
  shared_links_expiration_days: item(z.number()),
  is_public_shared_links_expiration_enabled: item(z.boolean()),
  public_shared_links_expiration_days: item(z.number()),
  is_watermarking_enterprise_feature_enabled: item(z.boolean()),
  external_collaboration_status: item(z.string()),
  collaboration_restrictions: item(z.array(z.string())),
  is_collaboration_expiration_enabled: item(z.boolean()),
  is_file_request_login_required: item(z.boolean()),
});
const configurationSchema = z.object({
  content_and_sharing: sharingSchema.nullish(),
  security: z
    .object({ keysafe: item(z.object({ keysafe_enabled: z.boolean().nullish() })) })
    .nullish(),
});

/** The settings of an enterprise that decide what works; each undefined where Box does not tell. */
export interface Configuration {
  /** The widest access that links may have. */
  readonly linkAccess: string | undefined;
  /** Whom a link opens for that is made without saying so. */
  readonly linkDefault: string | undefined;
  /** Longest life of any link, and of links that open for everybody, in days; Infinity for no limit. */
  readonly linkDays: number | undefined;
  readonly openLinkDays: number | undefined;
  readonly watermarks: boolean | undefined;
  readonly externalCollaboration: string | undefined;
  readonly restrictions: readonly string[] | undefined;
  readonly collaborationsExpire: boolean | undefined;
  readonly requestsNeedLogin: boolean | undefined;
  readonly keySafe: boolean | undefined;
}

/** Undefined where this account, or the application, may not read them. */
export async function readConfiguration(
  api: BoxApi,
  enterpriseId: string,
  signal: AbortSignal,
): Promise<Configuration | undefined> {
  const answer = await api.ask(
    {
      method: "GET",
      to: `/2.0/enterprise_configurations/${enterpriseId}`,
      query: { categories: "content_and_sharing,security" },
      headers: { "box-version": "2025.0" },
    },
    signal,
  );
  if (answer.status >= 400 && answer.status < 500) return undefined;
  const { content_and_sharing: sharing, security } = bodyOf(configurationSchema, answer);
  return {
    linkAccess: sharing?.shared_link_access?.value ?? undefined,
    linkDefault: sharing?.shared_link_default_access?.value ?? undefined,
    linkDays: daysOf(
      sharing?.is_shared_links_expiration_enabled?.value,
      sharing?.shared_links_expiration_days?.value,
    ),
    openLinkDays: daysOf(
      sharing?.is_public_shared_links_expiration_enabled?.value,
      sharing?.public_shared_links_expiration_days?.value,
    ),
    watermarks: sharing?.is_watermarking_enterprise_feature_enabled?.value ?? undefined,
    externalCollaboration: sharing?.external_collaboration_status?.value ?? undefined,
    restrictions: sharing?.collaboration_restrictions?.value ?? undefined,
    collaborationsExpire: sharing?.is_collaboration_expiration_enabled?.value ?? undefined,
    requestsNeedLogin: sharing?.is_file_request_login_required?.value ?? undefined,
    keySafe: security?.keysafe?.value?.keysafe_enabled ?? undefined,
  };
}

function daysOf(
  isLimited: boolean | null | undefined,
  days: number | null | undefined,
): number | undefined {
  if (isLimited === false) return Infinity;
  return isLimited === true ? (days ?? undefined) : undefined;
}
