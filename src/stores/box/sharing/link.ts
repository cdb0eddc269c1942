import { z } from "zod";
import { sha256Of } from "../../../evidence/digest.ts";
import { ExhibitError } from "../../../evidence/errors.ts";
import { linkReachSchema, type LinkReach } from "../../../evidence/share.ts";
import { bodyOf } from "../api.ts";
import { failureOf } from "../failures.ts";
import type { Calls } from "./calls.ts";
import type { BoxItemId, LeftLink } from "./documents.ts";
import { surely } from "./surely.ts";

const linkSchema = z.object({
  url: z.url(),
  access: linkReachSchema,
  effective_access: linkReachSchema,
  effective_permission: z.enum(["can_edit", "can_download", "can_preview", "no_access"]),
  unshared_at: z.string().nullish(),
  is_password_enabled: z.boolean(),
  download_count: z.number().optional(),
  preview_count: z.number().optional(),
});
export type BoxLink = z.infer<typeof linkSchema>;

const linkedSchema = z.object({ etag: z.string().nullish(), shared_link: linkSchema.nullish() });

/** The link of an item as Box keeps it now. */
export interface FoundLink {
  /** Undefined where the item has none. */
  readonly link: BoxLink | undefined;
  readonly etag: string | undefined;
}

/** What a link is to be. */
export interface WantedLink {
  readonly access: LinkReach;
  /** Undefined for none, or for the one that it has. */
  readonly password: string | undefined;
  readonly expiresAt: string;
}

export function pathOf({ type, id }: BoxItemId): string {
  return `/2.0/${type}s/${id}`;
}

/** Undefined where the item is gone, or in the trash. */
export async function findLink(
  calls: Calls,
  item: BoxItemId,
  signal: AbortSignal,
): Promise<FoundLink | undefined> {
  const answer = await calls.ask(
    { method: "GET", to: pathOf(item), query: { fields: "id,etag,shared_link" } },
    signal,
  );
  if (answer.status === 404) return undefined;
  const { etag, shared_link } = bodyOf(linkedSchema, answer);
  return { link: shared_link ?? undefined, etag: etag ?? undefined };
}

/** Gives an item its link, and reads back what Box made of it. With `etag`, an item that has changed since is left alone: undefined then. */
export async function putLink(
  calls: Calls,
  item: BoxItemId,
  { access, password, expiresAt }: WantedLink,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<BoxLink | undefined> {
  const shared_link = {
    access,
    ...(password === undefined ? {} : { password }),
    unshared_at: expiresAt,
    // Box: only of links that are open or the company's. The role of who was invited has no download either.
    ...(access === "collaborators" ? {} : { permissions: { can_download: false } }),
  };
  const hasIt = async (): Promise<"put" | undefined> => {
    const link = (await findLink(calls, item, signal))?.link;
    const isIt =
      link?.access === access &&
      sameSecond(link.unshared_at, expiresAt) &&
      (password === undefined || link.is_password_enabled);
    return isIt ? "put" : undefined;
  };
  const outcome = await surely(
    async () => {
      const answer = await calls.ask(
        {
          method: "PUT",
          to: pathOf(item),
          query: { fields: "id,etag,shared_link" },
          ...(etag === undefined ? {} : { headers: { "if-match": etag } }),
          json: { shared_link },
        },
        signal,
      );
      if (answer.status === 412) return (await hasIt()) ?? ("changed" as const);
      if (answer.status === 403) throw noLinks(failureOf(answer));
      bodyOf(linkedSchema, answer);
      return "put" as const;
    },
    hasIt,
    signal,
  );
  return outcome === "put" ? (await findLink(calls, item, signal))?.link : undefined;
}

/** Takes an item's link away, whatever it is, and reads back that it is gone. @throws ExhibitError `conflict.share-changed` */
export async function removeLink(
  calls: Calls,
  item: BoxItemId,
  signal: AbortSignal,
): Promise<void> {
  const isGone = async (): Promise<true | undefined> => {
    const found = await findLink(calls, item, signal);
    return found?.link === undefined ? true : undefined;
  };
  if (await isGone()) return;
  await surely(
    async () => {
      const answer = await calls.ask(
        {
          method: "PUT",
          to: pathOf(item),
          query: { fields: "id,etag,shared_link" },
          json: { shared_link: null },
        },
        signal,
      );
      if (answer.status >= 300 && answer.status !== 404) throw failureOf(answer);
      return true;
    },
    isGone,
    signal,
  );
  if (await isGone()) return;
  throw new ExhibitError("conflict.share-changed", "Box still shows a link where it was removed.", {
    hint: "Somebody may have made another one. Run the same command again; if it stays, remove the link in Box.",
  });
}

/** How a link was left, as far as it may be kept. */
export function leftAs(on: BoxItemId, link: BoxLink): LeftLink {
  const { url, access, is_password_enabled } = link;
  return { on, urlSha256: sha256Of(url), access, hasPassword: is_password_enabled };
}

/** Box keeps whole seconds, and writes them in the enterprise's zone. */
export function sameSecond(one: string | null | undefined, other: string): boolean {
  return Math.floor(Date.parse(one ?? "") / 1000) === Math.floor(Date.parse(other) / 1000);
}

/** A time as Box gives it, in UTC and whole seconds. */
export function inUtc(time: string): string {
  return wholeSeconds(new Date(time).toISOString());
}

export function wholeSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}

function noLinks(cause: ExhibitError): ExhibitError {
  return new ExhibitError("policy.not-permitted", "Box does not let this account make this link.", {
    hint: "The enterprise may not allow such links, or your role in the folder is below Editor: exhibit doctor says which. --link chooses another kind.",
    facts: cause.facts,
    cause,
  });
}
