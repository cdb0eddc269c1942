import { formatAddress } from "../../../evidence/address.ts";
import { ExhibitError } from "../../../evidence/errors.ts";
import { exhibitPrefix, parseKey } from "../../../evidence/key.ts";
import type { SealedExhibit } from "../../../evidence/ports/register.ts";
import type { ShareRequest } from "../../../evidence/ports/sharing.ts";
import type { RecordFile } from "../../../evidence/record.ts";
import { caseSegment } from "../../../evidence/case.ts";
import type { Desk } from "./desk.ts";
import type { Intent, PlannedCopy } from "./documents.ts";
import { isSurelyMarked } from "./markable.ts";

/** So many files a share can hold. */
const mostFiles = 200;

/** The sealed exhibits that are asked for. @throws ExhibitError `not-found.exhibit`, `integrity.*`, `policy.too-large` */
export async function readExhibits(
  { register }: Desk,
  { exhibits }: ShareRequest,
  signal: AbortSignal,
): Promise<SealedExhibit[]> {
  const sealed: SealedExhibit[] = [];
  for (const { id, case: caseRef, reference } of exhibits) {
    const address = { kind: "reference", case: caseRef, reference } as const;
    const [entry] = await register.find(address, signal);
    if (entry?.id !== id || entry.state !== "sealed") {
      throw new ExhibitError(
        "not-found.exhibit",
        `${caseRef}:${reference} is not there, or not sealed yet.`,
        { hint: "List what there is with exhibit list.", facts: { exhibit: id } },
      );
    }
    sealed.push(await register.read(entry, signal));
  }
  const files = sealed.reduce((sum, { record }) => sum + record.files.length, 0);
  if (files <= mostFiles) return sealed;
  throw new ExhibitError(
    "policy.too-large",
    `These exhibits hold ${files} files; one share can hold ${mostFiles}.`,
    { hint: "Share fewer exhibits at a time.", facts: { files, most: mostFiles } },
  );
}

/** The files of exhibits, each with the exhibit's name, in order. */
function* filesOf(
  exhibits: readonly SealedExhibit[],
): Generator<readonly [SealedExhibit, RecordFile]> {
  for (const exhibit of exhibits) for (const file of exhibit.record.files) yield [exhibit, file];
}

/** Refuses what a mark may not be seen on. @throws ExhibitError `policy.type-not-markable` */
export function requireVisible(exhibits: readonly SealedExhibit[]): void {
  for (const [exhibit, { key, mediaType }] of filesOf(exhibits)) {
    if (isSurelyMarked(mediaType)) continue;
    throw new ExhibitError(
      "policy.type-not-markable",
      `Whether Box shows a watermark on ${parseKey(key)?.name ?? key} of ${formatAddress(exhibit)} depends on your tenant.`,
      {
        hint: "Nothing was made. Leave out --require-visible-mark if that will do, or share from an exhibit server.",
        facts: { reference: exhibit.reference, mediaType },
      },
    );
  }
}

/** What must be known of files on which Box may not show the watermark that it accepted. */
export function markWarnings(exhibits: readonly SealedExhibit[]): string[] {
  const types = new Set<string>();
  for (const [, { mediaType }] of filesOf(exhibits)) {
    if (!isSurelyMarked(mediaType)) types.add(mediaType);
  }
  if (types.size === 0) return [];
  return [
    `Box accepted the watermark; whether this type shows it depends on your tenant: ${[...types].sort().join(", ")}.`,
  ];
}

/** The copies to make: each original found in Box, and compared with what the receipt says that Box kept. */
export async function planCopies(
  { files }: Desk,
  exhibits: readonly SealedExhibit[],
  signal: AbortSignal,
): Promise<PlannedCopy[]> {
  const plan: PlannedCopy[] = [];
  for (const [exhibit, { key, sizeBytes }] of filesOf(exhibits)) {
    const file = await files.find(key, signal);
    const kept = exhibit.receipt.files.find((one) => one.key === key)?.kept?.checksums?.["sha1"];
    if (file === undefined) {
      throw new ExhibitError(
        "not-found.content",
        `A file of ${formatAddress(exhibit)} is not in Box.`,
        {
          hint: "See which with exhibit verify.",
          facts: { key },
        },
      );
    }
    if (file.size !== sizeBytes || (kept !== undefined && kept !== file.sha1)) {
      throw new ExhibitError(
        "integrity.mismatch",
        `A file of ${formatAddress(exhibit)} is not what was sealed.`,
        {
          hint: "Nothing was shared. See exhibit verify, and tell your administrator.",
          facts: { key },
        },
      );
    }
    const name = `${caseSegment(exhibit.case)}_${parseKey(key)?.name ?? key}`;
    plan.push({
      exhibit: exhibit.id,
      original: file.id,
      name,
      sizeBytes: file.size,
      sha1: file.sha1,
    });
  }
  return plan;
}

/** The exhibits' own folders. @throws ExhibitError `not-found.content` */
export async function planFolders(
  { files }: Desk,
  exhibits: readonly SealedExhibit[],
  signal: AbortSignal,
): Promise<Intent["folders"]> {
  const folders: Intent["folders"] = [];
  for (const exhibit of exhibits) {
    const id = await files.folders.find(exhibitPrefix(exhibit.case, exhibit.reference), signal);
    if (id === undefined) {
      throw new ExhibitError(
        "not-found.content",
        `${formatAddress(exhibit)} has no folder in Box.`,
      );
    }
    folders.push({ exhibit: exhibit.id, id });
  }
  return folders;
}
