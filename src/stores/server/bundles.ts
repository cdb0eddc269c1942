import { setImmediate as nextTurn } from "node:timers/promises";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Bundles, SmallExhibit } from "../../evidence/ports/bundles.ts";
import type { ExhibitEntry, Reservation, SealedExhibit } from "../../evidence/ports/register.ts";
import type { ExhibitRecord } from "../../evidence/record.ts";
import { unverifiedPayload } from "../../evidence/seal.ts";
import {
  bundledSchema,
  bundleMediaType,
  bundlesPath,
  mostReservations,
  reservationsPath,
  reservedSchema,
  type Bundled,
  type Refused,
} from "../../protocol/bundles.ts";
import { checkReceipt } from "../../evidence/checked-documents.ts";
import { bundleTar } from "./bundle-tar.ts";
import { sendBytes } from "./data-plane.ts";
import { aboutAnother } from "./register.ts";
import { issuerKeyOf } from "./issuer-key.ts";
import type { Session } from "./session.ts";
import { nonsense, valid } from "./valid-answer.ts";

/** How many receipts are checked before anything else has its turn: signatures keep the processor busy. */
const inOneTurn = 16;

/** The bundles that a server takes; undefined where it takes none. Receipts count only under the pinned key. */
export function bundlesOf(session: Session): Bundles | undefined {
  const limits = session.statement.limits.bundles;
  if (limits === undefined) return undefined;
  return {
    limits,
    async reserveAll(reservations, signal) {
      const entries: (ExhibitEntry | ExhibitError)[] = [];
      for (let at = 0; at < reservations.length; at += mostReservations) {
        const slice = reservations.slice(at, at + mostReservations);
        entries.push(...(await reserveSome(session, slice, signal)));
      }
      return entries;
    },
    async sendAll(exhibits, signal) {
      const bytes = bundleTar(exhibits);
      const answer = await sendBytes(
        session,
        {
          method: "POST",
          url: `${session.url}${bundlesPath}`,
          headers: { "content-type": bundleMediaType },
          bytes,
          sha256: sha256Of(bytes),
        },
        signal,
      );
      const { answers } = valid(bundledSchema, answer);
      if (answers.length !== exhibits.length) throw nonsense(undefined);
      const sealed: (SealedExhibit | ExhibitError)[] = [];
      for (const [index, exhibit] of exhibits.entries()) {
        if (index % inOneTurn === 0) await nextTurn();
        sealed.push(await orFailure(() => sealedBy(session, exhibit, answers[index], signal)));
      }
      return sealed;
    },
  };
}

async function reserveSome(
  session: Session,
  reservations: readonly Reservation[],
  signal: AbortSignal,
): Promise<(ExhibitEntry | ExhibitError)[]> {
  const call = { method: "POST", path: reservationsPath, body: { reservations } } as const;
  const { answers } = valid(reservedSchema, (await session.call(call, signal)).body);
  if (answers.length !== reservations.length) throw nonsense(undefined);
  return answers.map((answer, index) => {
    if ("problem" in answer) return failureOf(answer);
    const { entry } = answer;
    const wanted = reservations[index];
    const reference = wanted?.reference ?? entry.reference;
    return entry.case === wanted?.case && entry.reference === reference ? entry : aboutAnother();
  });
}

/** What the server says of one exhibit, when the receipt is for exactly what was sent. */
async function sealedBy(
  session: Session,
  { entry, key, bytes, sha256, record }: SmallExhibit,
  answer: Bundled["answers"][number] | undefined,
  signal: AbortSignal,
): Promise<SealedExhibit> {
  if (answer === undefined) throw nonsense(undefined);
  if ("problem" in answer) throw failureOf(answer);
  const { id, case: caseRef, reference, reservedAt } = answer.entry;
  const isSame = id === entry.id && caseRef === entry.case && reference === entry.reference;
  if (!isSame || answer.entry.state !== "sealed") throw aboutAnother();
  const issuerKey = await issuerKeyOf(session, answer.receipt, signal);
  const receipt = await checkReceipt(entry, record, answer.receipt, issuerKey);
  const [file, ...more] = receipt.files;
  const isHeld =
    file?.key === key && file.sizeBytes === bytes.byteLength && file.digest.sha256 === sha256;
  if (!isHeld || more.length > 0) throw aboutAnother();
  return {
    id,
    case: caseRef,
    reference,
    reservedAt,
    state: "sealed",
    // This machine signed it a moment ago, and the receipt carries its digest.
    record: unverifiedPayload(record) as ExhibitRecord,
    sealedRecord: record,
    receipt,
    sealedReceipt: answer.receipt,
  };
}

async function orFailure<T>(work: () => Promise<T>): Promise<T | ExhibitError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ExhibitError) return error;
    throw error;
  }
}

function failureOf({ problem }: Refused): ExhibitError {
  const { code, title, hint, facts } = problem;
  return new ExhibitError(code, title, {
    ...(hint === undefined ? {} : { hint }),
    ...(facts === undefined ? {} : { facts }),
  });
}
