import type { CaseExhibit, CaseShare } from "../evidence/case-view.ts";
import type { Cases } from "../evidence/ports/cases.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { Share } from "../evidence/share.ts";

/** A case in a store that cannot tell of one as a whole: asked exhibit by exhibit, and share by share. */
export function casesOfRegister({ register, sharing }: Connection): Cases {
  return {
    async *exhibits(caseRef, signal) {
      for await (const entry of register.list(caseRef, signal)) yield lineOf(entry, signal);
    },
    async *shares(caseRef, signal) {
      if (sharing === undefined) return;
      const shares = await sharing.list(signal);
      const inCase = (share: Share): boolean => share.exhibits.some((one) => one.case === caseRef);
      for (const share of shares.filter(inCase).reverse()) {
        const { events } = await sharing.log(share.id, signal);
        const looks = events.filter(({ kind }) => lookKinds.has(kind)).map(({ at }) => at);
        const [first] = looks;
        const last = looks.at(-1);
        const looked =
          first === undefined || last === undefined
            ? undefined
            : { first, last, times: looks.length };
        yield { ...shareLine(share, caseRef), ...(looked === undefined ? {} : { looked }) };
      }
    },
  };

  async function lineOf(entry: ExhibitEntry, signal: AbortSignal): Promise<CaseExhibit> {
    const { id, reference, state, reservedAt } = entry;
    const about = { id, reference, state, reservedAt };
    if (state === "open") return { ...about, from: { id: "unknown" }, files: 0, sizeBytes: 0 };
    const { record, receipt } = await register.read(entry, signal);
    const { title, retention } = record;
    return {
      ...about,
      from: { id: record.uploader.thumbprint },
      sealedAt: receipt.receivedAt,
      files: record.files.length,
      sizeBytes: record.files.reduce((sum, file) => sum + file.sizeBytes, 0),
      ...(title === undefined ? {} : { title }),
      ...(retention === undefined ? {} : { retention }),
    };
  }
}

/** What in a share's log says that its recipient has seen something of it. */
const lookKinds: ReadonlySet<string> = new Set([
  "session-started",
  "exhibit-viewed",
  "segment",
  "file-viewed",
  "original-downloaded",
  "copy-downloaded",
]);

function shareLine(share: Share, caseRef: string): CaseShare {
  const { id, recipient, access, createdAt, expiresAt, state, exhibits } = share;
  const own = exhibits.filter((one) => one.case === caseRef && one.revokedAt === undefined);
  const references = own.map(({ reference }) => reference);
  return { id, recipient, access, createdAt, expiresAt, state, exhibits: references };
}
