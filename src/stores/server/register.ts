import type { z } from "zod";
import { formatAddress } from "../../evidence/address.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { ExhibitEntry, Register, SealedExhibit } from "../../evidence/ports/register.ts";
import {
  exhibitDocumentsSchema,
  exhibitEntrySchema,
  exhibitPageSchema,
  exhibitsPath,
  lookedUpSchema,
  mostLookedUp,
} from "../../protocol/exhibits.ts";
import { checkDocuments } from "../../evidence/checked-documents.ts";
import { issuerKeyOf, keyInUse } from "./issuer-key.ts";
import type { Session } from "./session.ts";
import { pause } from "./upload-calls.ts";
import { valid } from "./valid-answer.ts";

/** The exhibits of a server, as far as the session's identity may see them. Receipts count only under the pinned key, and older ones under those before it. */
export function registerOf(session: Session): Register {
  const get = async (path: string, signal: AbortSignal): Promise<unknown> =>
    (await session.call({ method: "GET", path }, signal)).body;

  return {
    issuerKey: session.statement.key,
    issuerKeyAt: (thumbprint, at, signal) => keyInUse(session, thumbprint, at, signal),
    needsInitials: false,

    async reserve(reservation, signal) {
      const call = { method: "POST", path: exhibitsPath, body: reservation } as const;
      const entry = valid(exhibitEntrySchema, (await session.call(call, signal)).body);
      const wanted = reservation.reference ?? entry.reference;
      if (entry.case === reservation.case && entry.reference === wanted) return entry;
      throw aboutAnother();
    },

    async lookup(caseRef, sourceIds, signal) {
      const found = new Map<string, ExhibitEntry>();
      for (let at = 0; at < sourceIds.length; at += mostLookedUp) {
        const body = { case: caseRef, sourceIds: sourceIds.slice(at, at + mostLookedUp) };
        const call = { method: "POST", path: `${exhibitsPath}/lookup`, body } as const;
        const answer = valid(lookedUpSchema, (await session.call(call, signal)).body);
        for (const { sourceId, entry } of answer.found) found.set(sourceId, entry);
      }
      return found;
    },

    async sealRecord(entry, record, _proofs, signal) {
      const call = { method: "PUT", path: `${pathOf(entry.id)}/record`, body: { record } } as const;
      for (;;) {
        const answer = await session.call(call, signal);
        if (answer.status === 202) {
          await pause(answer, signal);
          continue;
        }
        const sealed = await checked(entry, valid(exhibitDocumentsSchema, answer.body), signal);
        if (JSON.stringify(sealed.sealedRecord) === JSON.stringify(record)) return sealed;
        throw aboutAnother();
      }
    },

    async find(address, signal) {
      if (address.kind === "reference") {
        const { case: caseRef, reference } = address;
        const found: ExhibitEntry[] = [];
        for await (const entry of pages(session, { case: caseRef, reference }, signal)) {
          found.push(entry);
        }
        return found;
      }
      try {
        const { entry } = valid(exhibitDocumentsSchema, await get(pathOf(address.id), signal));
        if (entry.id !== address.id) throw aboutAnother();
        return [entry];
      } catch (error) {
        if (hasCode(error, "not-found.exhibit")) return [];
        throw error;
      }
    },

    async read(entry, signal) {
      const documents = valid(exhibitDocumentsSchema, await get(pathOf(entry.id), signal));
      return checked(entry, documents, signal);
    },

    list: (caseRef, signal) => pages(session, { case: caseRef, reference: undefined }, signal),

    async custody(entry, signal) {
      const text = await get(`${pathOf(entry.id)}/custody`, signal);
      if (typeof text !== "string") throw aboutAnother();
      return text.split("\n").filter((line) => line !== "");
    },
  };

  async function checked(
    entry: ExhibitEntry,
    documents: z.output<typeof exhibitDocumentsSchema>,
    signal: AbortSignal,
  ): Promise<SealedExhibit> {
    const { record, receipt } = documents;
    if (record !== undefined && receipt !== undefined) {
      const key = await issuerKeyOf(session, receipt, signal);
      return checkDocuments({ ...documents.entry, ...nameOf(entry) }, record, receipt, key);
    }
    throw new ExhibitError(
      "not-found.exhibit",
      `${formatAddress(entry)} is still being uploaded: it has no record yet.`,
      { hint: "Finish its upload first: run the same upload command again." },
    );
  }
}

async function* pages(
  session: Session,
  wanted: { case: string | undefined; reference: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<ExhibitEntry> {
  const query = {
    ...(wanted.case === undefined ? {} : { case: wanted.case }),
    ...(wanted.reference === undefined ? {} : { reference: wanted.reference }),
  };
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const answer = await session.call(
      {
        method: "GET",
        path: exhibitsPath,
        query: { ...query, ...(after === undefined ? {} : { after }) },
      },
      signal,
    );
    const page = valid(exhibitPageSchema, answer.body);
    if (page.next === after && after !== undefined) throw aboutAnother();
    yield* page.exhibits;
    after = page.next;
  } while (after !== undefined);
}

/** What the answer must be about. */
function nameOf({ id, case: caseRef, reference }: ExhibitEntry) {
  return { id, case: caseRef, reference };
}

function pathOf(id: string): string {
  return `${exhibitsPath}/${encodeURIComponent(id)}`;
}

export function aboutAnother(): ExhibitError {
  return new ExhibitError("integrity.mismatch", "The server answered about another exhibit.", {
    hint: "Do not rely on this answer. Try again, and tell the server's administrator.",
  });
}
