import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { ExhibitRecord } from "../../evidence/record.ts";
import { sealedSchema, type PublicJwk } from "../../evidence/seal.ts";
import type { StoredFileRow } from "../database/exhibit-tables.ts";
import { checkRecord } from "../exhibits/check-record.ts";
import { sealedOtherwise, unfinished } from "../exhibits/seal-exhibit.ts";
import { unknownExhibit } from "../exhibits/visible-exhibits.ts";
import { assertFileOf } from "../content/stored-files.ts";
import type { KnownExhibit } from "./known-exhibits.ts";
import type { Member } from "./read-bundle.ts";

/** An exhibit that may be sealed with what has come, as soon as its file is stored. */
export interface Provable {
  readonly exhibit: KnownExhibit;
  readonly member: Member;
  readonly sha256: string;
  readonly record: ExhibitRecord;
  /** As it will lie in the content store, and its digest. */
  readonly recordText: string;
  readonly recordSha256: string;
  /** The exhibit's file, where it is held already. */
  readonly before: StoredFileRow | undefined;
}

/**
 * Proves what came of one exhibit: the digest of its bytes is the one in a record that its uploader's pinned key signed, and
 * that says nothing else than what is known here.
 *
 * @returns the exhibit as it is, where it was sealed with this very record before
 * @throws ExhibitError `not-found.exhibit`, `usage.invalid`, `conflict.sealed`, `conflict.exists`, `conflict.unfinished`,
 * `integrity.signature`, `integrity.mismatch`; ZodError
 */
export async function checkMember(
  member: Member,
  exhibit: KnownExhibit | undefined,
  callerKeys: readonly PublicJwk[],
): Promise<Provable | KnownExhibit> {
  if (exhibit === undefined) throw unknownExhibit();
  const { row, stored, uploads } = exhibit;
  const sealed = sealedSchema.parse(parsed(member.recordText));
  const recordText = JSON.stringify(sealed);
  if (row.state !== "open") {
    if (row.record === recordText) return exhibit;
    throw sealedOtherwise();
  }
  assertFileOf(row, member.key);
  const file = {
    key: member.key,
    size_bytes: member.bytes.byteLength,
    sha256: sha256Of(member.bytes),
  };
  const before = stored.find(({ key }) => key === member.key);
  if (before !== undefined && before.sha256 !== file.sha256) throw holdsOther(member.key);
  const held = before === undefined ? [...stored, file] : stored;
  const coming = uploads.find(
    ({ key, size_bytes: size }) =>
      !held.some((one) => one.key === key) || (key === file.key && size !== file.size_bytes),
  );
  if (coming !== undefined) throw unfinished(coming.key);
  const record = await checkRecord(sealed, callerKeys, row, held);
  return {
    exhibit,
    member,
    sha256: file.sha256,
    record,
    recordText,
    recordSha256: sha256Of(recordText),
    before,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ExhibitError("usage.invalid", "The record is not JSON.", { cause });
  }
}

function holdsOther(key: string): ExhibitError {
  return new ExhibitError("conflict.exists", `The store already holds ${key}.`, {
    hint: "Nothing was overwritten. If the content should be another, use another reference.",
  });
}
