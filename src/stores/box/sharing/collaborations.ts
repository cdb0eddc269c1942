import { z } from "zod";
import { ExhibitError } from "../../../evidence/errors.ts";
import { bodyOf, type BoxAnswer } from "../api.ts";
import { boxCodeOf, failureOf } from "../failures.ts";
import type { Calls } from "./calls.ts";
import type { BoxItemId } from "./documents.ts";
import { pathOf, sameSecond } from "./link.ts";
import { surely } from "./surely.ts";

const collaborationSchema = z.object({
  id: z.string(),
  role: z.string().nullish(),
  status: z.string().nullish(),
  expires_at: z.string().nullish(),
  invite_email: z.string().nullish(),
  accessible_by: z.object({ login: z.string().nullish() }).nullish(),
  created_by: z.object({ id: z.string() }).nullish(),
  item: z.object({ id: z.string() }).nullish(),
});
export type BoxCollaboration = z.infer<typeof collaborationSchema>;

const listSchema = z.object({
  entries: z.array(collaborationSchema),
  next_marker: z.string().nullish(),
});

export interface Invitation {
  readonly on: BoxItemId;
  readonly email: string;
  readonly role: "viewer" | "previewer";
  /** When it ends by itself; undefined for never. */
  readonly expiresAt: string | undefined;
}

/** Who was invited to an item itself, not to a folder above it. */
export async function invitedTo(
  calls: Calls,
  on: BoxItemId,
  signal: AbortSignal,
): Promise<BoxCollaboration[]> {
  const found: BoxCollaboration[] = [];
  let marker: string | undefined;
  do {
    const query = { limit: 1000, ...(marker === undefined ? {} : { marker }) };
    const to = `${pathOf(on)}/collaborations`;
    const answer = await calls.ask({ method: "GET", to, query }, signal);
    if (answer.status === 404) return found;
    const page = bodyOf(listSchema, answer);
    found.push(...page.entries);
    marker = page.next_marker ?? undefined;
  } while (marker !== undefined && marker !== "");
  return found.filter(({ item }) => item === null || item === undefined || item.id === on.id);
}

/** True for a collaboration of this address. */
export function isOf({ accessible_by, invite_email }: BoxCollaboration, email: string): boolean {
  const address = accessible_by?.login ?? invite_email;
  return address?.toLowerCase() === email.toLowerCase();
}

/** Looks that nobody has invited this address there before: {@link invite} would not know whose it is. @throws ExhibitError `conflict.exists` */
export async function requireUninvited(
  calls: Calls,
  { on, email }: Pick<Invitation, "on" | "email">,
  signal: AbortSignal,
): Promise<void> {
  if ((await invitedTo(calls, on, signal)).some((one) => isOf(one, email))) throw isThere();
}

/**
 * Invites exactly this address, as exactly this role. Nobody is written to.
 *
 * @throws ExhibitError `conflict.exists` for somebody who has access already, which is never changed; `policy.not-permitted`
 */
export async function invite(
  calls: Calls,
  invitation: Invitation,
  signal: AbortSignal,
): Promise<BoxCollaboration> {
  const { on, email, role, expiresAt } = invitation;
  const look = async (): Promise<BoxCollaboration | undefined> =>
    (await invitedTo(calls, on, signal)).find((one) => isOf(one, email) && one.role === role);
  let doubted = false;
  const made = await surely(
    async () => {
      const answer = await calls.ask(
        {
          method: "POST",
          to: "/2.0/collaborations",
          query: { notify: "false" },
          json: {
            item: on,
            accessible_by: { type: "user", login: email },
            role,
            ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
          },
        },
        signal,
      );
      if (isConflict(answer)) {
        // Of a try before this one, whose answer was lost.
        const ours = doubted ? await look() : undefined;
        if (ours === undefined) throw isThere();
        return ours;
      }
      return bodyOf(collaborationSchema, answer);
    },
    async () => {
      doubted = true;
      return look();
    },
    signal,
  );
  checkInvited(made, invitation);
  return made;
}

/** Gives a collaboration another end. @throws ExhibitError `policy.not-permitted`, `conflict.share-ended` */
export async function extend(
  calls: Calls,
  id: string,
  { role, expiresAt }: Pick<Invitation, "role"> & { readonly expiresAt: string },
  signal: AbortSignal,
): Promise<void> {
  const to = `/2.0/collaborations/${id}`;
  const answer = await surely<BoxAnswer>(
    async () => {
      const json = { role, expires_at: expiresAt };
      const given = await calls.ask({ method: "PUT", to, json }, signal);
      if (given.status >= 500) throw failureOf(given);
      return given;
    },
    // To say it twice is the same as to say it once.
    () => Promise.resolve(undefined),
    signal,
  );
  if (answer.status === 404) {
    throw new ExhibitError("conflict.share-ended", "The invitation in Box is gone.", {
      hint: "It has ended, or somebody removed it. Make a new share: exhibit share create.",
    });
  }
  if (answer.status >= 300) throw failureOf(answer);
  const now = bodyOf(collaborationSchema, await calls.ask({ method: "GET", to }, signal));
  if (now.role === role && sameSecond(now.expires_at, expiresAt)) return;
  throw new ExhibitError(
    "policy.not-permitted",
    "Box gave the invitation another end than was asked for.",
    {
      hint: "See exhibit share show; cut the share off with exhibit share revoke if it is too long.",
    },
  );
}

/**
 * Takes a collaboration away that this account made, and reads back that it is gone. One that is not there is no error.
 *
 * @throws ExhibitError `policy.role` when somebody else made it
 */
export async function removeCollaboration(
  calls: Calls,
  id: string,
  by: string,
  signal: AbortSignal,
): Promise<void> {
  const to = `/2.0/collaborations/${id}`;
  const found = async (): Promise<BoxCollaboration | undefined> => {
    const answer = await calls.ask({ method: "GET", to }, signal);
    return answer.status === 404 ? undefined : bodyOf(collaborationSchema, answer);
  };
  const isGone = async (): Promise<true | undefined> =>
    (await found()) === undefined ? true : undefined;
  const one = await found();
  if (one === undefined) return;
  if (one.created_by?.id !== by) {
    throw new ExhibitError("policy.role", "Somebody else made an invitation of this share anew.", {
      hint: "It was left as it is. See who has access in Box.",
    });
  }
  await surely(
    async () => {
      const answer = await calls.ask({ method: "DELETE", to }, signal);
      if (answer.status >= 300 && answer.status !== 404) throw failureOf(answer);
      return true;
    },
    isGone,
    signal,
  );
  if (await isGone()) return;
  throw new ExhibitError("unavailable.store", "Box still shows an invitation that was removed.", {
    hint: "Run the same command again.",
  });
}

function isConflict(answer: BoxAnswer): boolean {
  return ["user_already_collaborator", "collaboration_already_exists"].includes(
    boxCodeOf(answer) ?? "",
  );
}

function isThere(): ExhibitError {
  return new ExhibitError(
    "conflict.exists",
    "This person has access in Box already: somebody invited them, to this or to a folder above it.",
    {
      hint: "That invitation was left as it is. See it in Box; let whoever made it change it, if it should be another.",
    },
  );
}

/** @throws ExhibitError `policy.not-permitted` when Box made something else of it */
function checkInvited({ role, expires_at }: BoxCollaboration, wanted: Invitation): void {
  const ends = expires_at ?? undefined;
  const isLate =
    wanted.expiresAt !== undefined &&
    (ends === undefined || Date.parse(ends) > Date.parse(wanted.expiresAt) + 1000);
  if ((role ?? wanted.role) === wanted.role && !isLate) return;
  throw new ExhibitError(
    "policy.not-permitted",
    "Box made the invitation wider than was asked for.",
    { hint: "It was removed. exhibit doctor says what the enterprise allows." },
  );
}
