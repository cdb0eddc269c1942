import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { SourceEntry } from "../evidence/ports/source.ts";
import {
  recordSchema,
  recordType,
  type ExhibitRecord,
  type RecordFile,
} from "../evidence/record.ts";
import { seal, type Sealed } from "../evidence/seal.ts";
import type { Transferred } from "../transfer/file-transfer.ts";
import type { Deps } from "./deps.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { mediaTypeOf } from "./media-type.ts";
import { requestOf, type UploadRequest } from "./upload-request.ts";

/** Everything that a record is made of. */
export interface RecordFacts {
  readonly request: UploadRequest;
  readonly plan: ExhibitPlan;
  readonly entry: ExhibitEntry;
  readonly collectedAt: Date;
  readonly files: readonly { readonly entry: SourceEntry; readonly transferred: Transferred }[];
  readonly connection: Pick<Connection, "signer" | "clockOffsetMs">;
  readonly tool: Deps["tool"];
}

/**
 * The record of an exhibit whose files have all arrived, signed by who uploads it; what nobody said is left out.
 *
 * @throws ExhibitError `integrity.source-changed`
 */
export function signedRecord(facts: RecordFacts): Promise<Sealed> {
  return seal(recordOf(facts), recordType, facts.connection.signer);
}

function recordOf(facts: RecordFacts): ExhibitRecord {
  const { plan, entry, connection } = facts;
  const { title, producer, oic, source, recorded, clockOffset, supersedes, retention } = requestOf(
    facts.request,
    plan,
  );
  const { signer, clockOffsetMs } = connection;
  return recordSchema.parse({
    schema: recordType,
    id: entry.id,
    case: entry.case,
    reference: entry.reference,
    ...said({ title, producer, oic, source }),
    sourceId: plan.sourceId,
    ...said({ recorded, clockOffset }),
    collectedAt: facts.collectedAt.toISOString(),
    ...said({ uploaderClockOffsetMs: rounded(clockOffsetMs) }),
    files: facts.files.map(fileOf),
    uploader: { key: signer.publicJwk, thumbprint: signer.thumbprint },
    tool: facts.tool,
    ...said({ supersedes, retention }),
  });
}

function fileOf({ entry, transferred }: RecordFacts["files"][number]): RecordFile {
  requireAsArrived(entry, transferred);
  return {
    path: entry.path,
    ...said({ pathBytes: entry.pathBytes }),
    key: transferred.key,
    sizeBytes: transferred.sizeBytes,
    modifiedAt: new Date(entry.modifiedAtMs).toISOString(),
    digest: { sha256: transferred.sha256 },
    mediaType: mediaTypeOf(entry.path, transferred.head),
    ...said({ origin: entry.origin, fetched: entry.arrived?.fetched }),
  };
}

/** What was hashed once, when it arrived, must still be that. @throws ExhibitError `integrity.source-changed` */
function requireAsArrived({ arrived, path }: SourceEntry, { sha256 }: Transferred): void {
  if (arrived === undefined || arrived.sha256 === sha256) return;
  throw new ExhibitError(
    "integrity.source-changed",
    `${path} is not what it was when it arrived on this computer.`,
    { hint: "It was not sealed. Its disk may be failing, or somebody has changed it there." },
  );
}

function rounded(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}

type Said<Facts> = { [Name in keyof Facts]?: Exclude<Facts[Name], undefined> };

/** The fields that have a value. */
function said<Facts extends object>(facts: Facts): Said<Facts> {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined),
  ) as Said<Facts>;
}
