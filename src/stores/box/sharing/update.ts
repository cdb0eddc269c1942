import { sha256Of } from "../../../evidence/digest.ts";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { ShareUpdate } from "../../../evidence/ports/sharing.ts";
import { checkShareEnd } from "../../../evidence/share.ts";
import { Calls } from "./calls.ts";
import { extend } from "./collaborations.ts";
import { eventOf } from "./create.ts";
import { describe, endOf, requireOwn, takenOut } from "./describe.ts";
import type { Desk } from "./desk.ts";
import type { LeftLink, ShareDocument } from "./documents.ts";
import { checkLink } from "./link-check.ts";
import { findLink, putLink, sameSecond, wholeSeconds, type FoundLink } from "./link.ts";
import { reaches } from "./reach.ts";
import type { ShelvedShare } from "./shelf.ts";
import { takeDown } from "./take-down.ts";

/**
 * Gives a share another end; its link stays. A link that is not as we left it is left alone.
 *
 * @throws ExhibitError `not-found.share`, `policy.role`, `usage.invalid`, `conflict.share-ended`, `conflict.share-changed`
 */
export async function updateShare(
  desk: Desk,
  id: string,
  expiresAt: string,
  signal: AbortSignal,
): Promise<ShareUpdate> {
  const now = desk.clock.now();
  checkShareEnd(expiresAt, now);
  const wanted = wholeSeconds(new Date(expiresAt).toISOString());
  const shelved = await desk.shelf.read(id, signal);
  requireOwn(shelved, await desk.account.get(signal));
  const { document } = shelved;
  if (document === undefined || describe(shelved, now).state !== "open") throw ended();
  const calls = new Calls(desk.files.api);
  const found = document.link && (await asLeft(calls, document.link, shelved, signal));
  // Written first: a link with this end is ours, also when we are cut off before we could say that it is done.
  const updating = { ...eventOf(desk, document, calls, "updating"), expiresAt: wanted };
  await desk.shelf.log(updating, signal);
  // The link first: where Box does not take its new end, nobody is invited for longer.
  const { ends, warnings } =
    document.link === undefined
      ? { ends: wanted, warnings: [] }
      : await relink(
          desk,
          calls,
          { ...shelved, document },
          document.link,
          wanted,
          found?.etag,
          signal,
        );
  const out = takenOut(shelved);
  for (const { id: one, role, expires, exhibit } of document.collaborations) {
    if (!expires || (exhibit !== undefined && out.has(exhibit))) continue;
    await extend(calls, one, { role, expiresAt: ends }, signal);
  }
  const updated = { ...eventOf(desk, document, calls, "updated"), expiresAt: ends };
  await desk.shelf.log(updated, signal);
  const events = [...shelved.events, { ...updated, schema: "exhibit.box-share-event/1" } as const];
  return { share: describe({ ...shelved, events }, now), warnings };
}

/** The link as Box keeps it, where it is as we left it. @throws ExhibitError `conflict.share-changed`, `conflict.share-ended` */
async function asLeft(
  calls: Calls,
  left: LeftLink,
  shelved: ShelvedShare,
  signal: AbortSignal,
): Promise<FoundLink> {
  const found = await findLink(calls, left.on, signal);
  if (found?.link === undefined) throw ended();
  const { url, access, is_password_enabled, unshared_at } = found.link;
  const since = shelved.events.findLastIndex(({ event }) => event === "updated");
  const begun = shelved.events.slice(since + 1).filter(({ event }) => event === "updating");
  const ends = [endOf(shelved), ...begun.flatMap(({ expiresAt }) => expiresAt ?? [])];
  const isAsLeft =
    sha256Of(url) === left.urlSha256 &&
    access === left.access &&
    is_password_enabled === left.hasPassword &&
    ends.some((end) => sameSecond(unshared_at, end));
  if (isAsLeft) return found;
  throw changed();
}

async function relink(
  desk: Desk,
  calls: Calls,
  shelved: ShelvedShare & { readonly document: ShareDocument },
  left: LeftLink,
  expiresAt: string,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly ends: string; readonly warnings: readonly string[] }> {
  const account = await desk.account.get(signal);
  const wanted = { access: left.access, password: undefined, expiresAt };
  const link = await putLink(calls, left.on, wanted, etag, signal);
  if (link === undefined || sha256Of(link.url) !== left.urlSha256) throw changed();
  try {
    const verdict = checkLink(link, wanted, left.hasPassword, (access) =>
      reaches(access, left.access, shelved.document.recipient.email, account),
    );
    return { ends: verdict.expiresAt, warnings: verdict.warnings };
  } catch (error) {
    // As when it was made: what opens for more than was asked, or not for the recipient, is no share.
    await takeDown(desk, calls, shelved, undefined, signal);
    const detail = error instanceof ExhibitError ? error.code : "unknown";
    await desk.shelf.log({ ...eventOf(desk, shelved.intent, calls, "revoked"), detail }, signal);
    throw error;
  }
}

function ended(): ExhibitError {
  return new ExhibitError(
    "conflict.share-ended",
    "This share has ended; its link does not come back.",
    {
      hint: "Make a new share: exhibit share create.",
    },
  );
}

function changed(): ExhibitError {
  return new ExhibitError(
    "conflict.share-changed",
    "Somebody has changed the link of this share in Box since it was made.",
    {
      hint: "It was left as it is. Look at it in Box; exhibit share revoke cuts it off, and a new share can be made.",
    },
  );
}
