import { ExhibitError } from "../../../evidence/errors.ts";
import type { SealedExhibit } from "../../../evidence/ports/register.ts";
import type { NewShare, ShareRequest } from "../../../evidence/ports/sharing.ts";
import { newShareId } from "../../../evidence/share-secrets.ts";
import { checkShareEnd } from "../../../evidence/share.ts";
import { Calls } from "./calls.ts";
import { inviteToFolders } from "./create-original.ts";
import { shareCopies } from "./create-view.ts";
import { describe } from "./describe.ts";
import type { Desk } from "./desk.ts";
import type { Intent, ShareDocument, ShareEvent } from "./documents.ts";
import { wholeSeconds } from "./link.ts";
import { markWarnings, planCopies, planFolders, readExhibits, requireVisible } from "./plan.ts";
import { reachFor } from "./reach.ts";
import { takeDown, takeDownMs } from "./take-down.ts";

/** What making a share gave. */
export interface Made {
  readonly document: ShareDocument;
  readonly link: string;
  readonly furtherLinks?: readonly string[];
  readonly code: string | undefined;
  readonly warnings: readonly string[];
}

/**
 * Makes a share in Box: what is to be made is written down first; then copies, marks, invitations, and the link last of all; then that it
 * is complete. A failure at any step, or the signal, leaves no link, no invitation and no copy.
 *
 * @throws ExhibitError `usage.invalid`, `not-found.*`, `integrity.*`, `policy.*`, `conflict.exists`, `unavailable.*`
 */
export async function createShare(
  desk: Desk,
  request: ShareRequest,
  signal: AbortSignal,
): Promise<NewShare> {
  const now = desk.clock.now();
  checkShareEnd(request.expiresAt, now);
  checkKind(request);
  const account = await desk.account.get(signal);
  const exhibits = await readExhibits(desk, request, signal);
  if (request.access === "view" && request.requireVisibleMark === true) requireVisible(exhibits);
  const intent = await intentFor(desk, request, exhibits, account.id, now, signal);
  const calls = new Calls(desk.files.api);
  const begun: Intent["folders"][number][] = [];
  try {
    await desk.shelf.begin(intent, signal);
    const made =
      intent.access === "view"
        ? await shareCopies(desk, calls, intent, account, signal)
        : await inviteToFolders(calls, intent, account, begun, signal);
    const { document } = made;
    await desk.shelf.log(eventOf(desk, document, calls, "created"), signal);
    await desk.shelf.complete(document, signal);
    const share = describe({ intent, document, events: [], spoilt: [] }, now);
    const warnings = [
      ...(intent.access === "view" ? markWarnings(exhibits) : []),
      ...made.warnings,
    ];
    const { link, furtherLinks, code } = made;
    return {
      share,
      link,
      ...(furtherLinks === undefined ? {} : { furtherLinks }),
      code,
      ...(intent.reach === undefined ? {} : { reach: intent.reach }),
      warnings,
    };
  } catch (error) {
    await abandon(desk, calls, { ...intent, folders: begun }, error);
    throw error;
  }
}

/** @throws ExhibitError `usage.invalid`, `policy.type-not-markable` */
function checkKind({ access, link, requireVisibleMark }: ShareRequest): void {
  if (access === "view") return;
  if (link !== undefined && link !== "collaborators") {
    throw new ExhibitError("usage.invalid", "Originals in Box are given by invitation only.", {
      hint: "Leave out --link.",
    });
  }
  if (requireVisibleMark !== true) return;
  throw new ExhibitError("policy.type-not-markable", "Originals carry no mark.", {
    hint: "Nothing was made. Leave out --require-visible-mark, or --access original.",
  });
}

async function intentFor(
  desk: Desk,
  request: ShareRequest,
  exhibits: readonly SealedExhibit[],
  createdBy: string,
  now: Date,
  signal: AbortSignal,
): Promise<Intent> {
  const { access, recipient, purpose } = request;
  const account = await desk.account.get(signal);
  return {
    schema: "exhibit.box-share-intent/1",
    id: newShareId(),
    createdBy,
    createdAt: now.toISOString(),
    expiresAt: wholeSeconds(new Date(request.expiresAt).toISOString()),
    recipient,
    access,
    ...(purpose === undefined ? {} : { purpose }),
    exhibits: exhibits.map(({ id, case: caseRef, reference }) => ({
      id,
      case: caseRef,
      reference,
    })),
    ...(access === "view" ? { reach: request.link ?? reachFor(recipient.email, account) } : {}),
    copies: access === "view" ? await planCopies(desk, exhibits, signal) : [],
    folders: access === "original" ? await planFolders(desk, exhibits, signal) : [],
  };
}

/** Takes down what was made, also when we were told to stop. @throws ExhibitError the failure, with how to go on where something is left */
async function abandon(desk: Desk, calls: Calls, intent: Intent, failure: unknown): Promise<void> {
  const signal = AbortSignal.timeout(takeDownMs);
  try {
    const shelved = { intent, document: undefined, events: [], spoilt: [] };
    await takeDown(desk, calls, shelved, undefined, signal);
  } catch (left) {
    const why = failure instanceof ExhibitError ? failure : undefined;
    throw new ExhibitError(
      why?.code ?? "unavailable.store",
      `${why?.message ?? "Making the share was stopped."} What had been made by then could not be taken away again.`,
      {
        hint: `Take it away as soon as Box answers: exhibit share revoke ${intent.id}`,
        facts: { ...why?.facts, share: intent.id },
        cause: left,
      },
    );
  }
  const detail = failure instanceof ExhibitError ? failure.code : "stopped";
  const event = { ...eventOf(desk, intent, calls, "abandoned"), detail };
  // Without this line it is listed as unfinished, and revoking it finds nothing more.
  await desk.shelf.log(event, signal).catch(() => undefined);
}

/** What is written to a share's log now. */
export function eventOf(
  { clock }: Pick<Desk, "clock">,
  { id, createdBy, expiresAt }: Pick<Intent, "id" | "createdBy" | "expiresAt">,
  calls: Calls,
  event: ShareEvent["event"],
): Omit<ShareEvent, "schema"> {
  return {
    share: id,
    at: clock.now().toISOString(),
    by: createdBy,
    event,
    ...(event === "created" ? { expiresAt } : {}),
    calls: calls.taken(),
  };
}
