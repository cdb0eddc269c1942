import type { z } from "zod";
import { smokeCase } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { NewShare } from "../../evidence/ports/sharing.ts";
import { checkShareEnd } from "../../evidence/share.ts";
import { newShareId } from "../../evidence/share-secrets.ts";
import type { newShareRequestSchema } from "../../protocol/shares.ts";
import { appendCustody } from "../custody/custody.ts";
import { kindsOfFiles, requireVisible } from "./file-kinds.ts";
import { newHandOver, queueLink, tryAtOnce } from "./hand-over.ts";
import type { ShareDesk } from "./share-desk.ts";
import { describeShare, type StoredShare } from "./share-rows.ts";
import { readSealed, type SharedExhibit } from "./shared-exhibits.ts";

type Wanted = z.infer<typeof newShareRequestSchema>;

/** Each file is looked into before the share is made. */
const mostFiles = 200;
/** Longest for looking into all of them: no request may last over 30 s. */
const lookingMs = 25_000;

/**
 * Makes a share of sealed exhibits. For `view`, every file of them must be of a kind that can be marked. Where mail carries
 * the link, it is tried for some seconds; the share is made whatever comes of that, and tells it.
 *
 * @throws ExhibitError `usage.invalid` (its time), `not-found.exhibit`, `policy.type-not-markable`, `policy.too-large`,
 * `policy.not-permitted`
 */
export async function createShare(
  desk: ShareDesk,
  caller: Identity,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<NewShare> {
  const { database, clock, settings } = desk.deps;
  const now = clock.now();
  checkShareEnd(wanted.expiresAt, now);
  const exhibits: SharedExhibit[] = [];
  for (const id of new Set(wanted.exhibits)) exhibits.push(await readSealed(database, id));
  checkCount(exhibits);
  checkUnmixed(exhibits);
  const limits = { signal, mostMs: lookingMs };
  const kinds = await kindsOfFiles(desk.renditions, exhibits, wanted.access, limits);
  if (wanted.requireVisibleMark === true) requireVisible(exhibits, kinds, wanted.access);

  // Nobody is to be written to about synthetic material.
  const mayMail = wanted.mail !== false && exhibits.every((exhibit) => exhibit.case !== smokeCase);
  const { kept, link, code } = await newHandOver(desk, mayMail);
  const row: StoredShare = {
    id: newShareId(),
    ...kept,
    mailed_code_salt: null,
    mailed_code_scrypt: null,
    mailed_code_until: null,
    no_notes: wanted.notes === false ? 1 : 0,
    recipient_name: wanted.recipient.name,
    recipient_email: wanted.recipient.email,
    access: wanted.access,
    purpose: wanted.purpose ?? null,
    created_by: caller.id,
    organisation: caller.organisation,
    created_at: now.toISOString(),
    expires_at: new Date(wanted.expiresAt).toISOString(),
    revoked_at: null,
    cleared_at: null,
  };
  const queued = await database.transaction().execute(async (trx) => {
    await trx.insertInto("shares").values(row).execute();
    for (const [position, exhibit] of exhibits.entries()) {
      await trx
        .insertInto("share_exhibits")
        .values({
          share_id: row.id,
          exhibit_id: exhibit.id,
          position,
          kinds: (kinds.get(exhibit.id) ?? []).join(","),
          disclosed_at: null,
          revoked_at: null,
        })
        .execute();
      // The recipient stands in here by the share's id; who that is, only the share says.
      await appendCustody(trx, clock, exhibit.id, "share-created", caller.id, {
        share: row.id,
        access: row.access,
        expiresAt: row.expires_at,
      });
    }
    return queueLink(desk, trx, row, link);
  });
  await tryAtOnce(desk, queued);
  return {
    share: await describeShare(database, row, now),
    link,
    code,
    warnings: warningsOf(settings.publicUrl, wanted.access),
  };
}

function checkCount(exhibits: readonly SharedExhibit[]): void {
  const files = exhibits.reduce((sum, exhibit) => sum + exhibit.record.files.length, 0);
  if (files <= mostFiles) return;
  throw new ExhibitError(
    "policy.too-large",
    `These exhibits hold ${files} files; one share can hold ${mostFiles}.`,
    { hint: "Share fewer exhibits at a time.", facts: { files, most: mostFiles } },
  );
}

/** What synthetic material is in is erased with it. */
function checkUnmixed(exhibits: readonly SharedExhibit[]): void {
  if (exhibits.length === 1 || exhibits.every((exhibit) => exhibit.case !== smokeCase)) return;
  throw new ExhibitError(
    "policy.not-permitted",
    "Synthetic material cannot be shared with evidence.",
    {
      hint: "Share the evidence alone.",
    },
  );
}

/** What the officer must know of a link that they are given. */
export function warningsOf(publicUrl: string, access: Wanted["access"]): string[] {
  const warnings: string[] = [];
  const { hostname } = new URL(publicUrl);
  if (hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.")) {
    warnings.push(
      "The link works on this computer only: the server's public address is a loopback address. Start it with --public-url to share with others.",
    );
  }
  if (access === "original") {
    warnings.push(
      "The recipient can download the unaltered originals. Downloaded copies carry no mark and cannot be recalled.",
    );
  }
  return warnings;
}
