import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import { contentKey } from "../evidence/key.ts";
import type { SmallExhibit } from "../evidence/ports/bundles.ts";
import type { ExhibitEntry, SealedExhibit } from "../evidence/ports/register.ts";
import type { SourceEntry } from "../evidence/ports/source.ts";
import type { Part } from "../evidence/ports/store.ts";
import { requireFixed } from "../transfer/fixed-digest.ts";
import { parkedAfter, parkingMs } from "../transfer/parking.ts";
import { sendUnchanged } from "../transfer/send-unchanged.ts";
import { openWatched } from "../transfer/watched-file.ts";
import { signedRecord } from "./signed-record.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { uploadedOf, type ExhibitUpload } from "./upload-exhibit.ts";
import type { PlanOutcome } from "./upload-outcome.ts";

/** An exhibit that has got its place in the case. */
export interface BundleMember {
  readonly place: number;
  readonly plan: ExhibitPlan;
  readonly entry: ExhibitEntry;
}

/** One that is small enough to travel together with others. */
export interface SmallMember extends BundleMember {
  /** Its only file. */
  readonly file: SourceEntry;
}

/** Source files that are open at once. */
const openAtOnce = 8;

/**
 * Divides exhibits into those that travel together, each such group as long as a part may be at the moment, and those that
 * travel by themselves.
 */
export function groupsOf(
  { connection, line }: Omit<ExhibitUpload, "plan">,
  members: readonly BundleMember[],
): { readonly together: readonly SmallMember[][]; readonly single: readonly BundleMember[] } {
  const { bundles } = connection;
  const together: SmallMember[][] = [];
  const single: BundleMember[] = [];
  if (bundles === undefined) return { together, single: members };
  const { maxExhibits, maxBytes, maxFileBytes } = bundles.limits;
  const mostBytes = Math.min(line.partSizes.now, maxBytes);
  let group: SmallMember[] = [];
  let bytes = 0;
  const grouped = new Set<string>();
  for (const member of members) {
    const { totalBytes, files } = member.plan;
    const [file, ...others] = files;
    const isSmall = totalBytes <= Math.min(maxFileBytes, mostBytes) && others.length === 0;
    // A file that was made anew while its folder was listed may have been found twice.
    const isTwice = grouped.has(member.entry.id);
    if (file === undefined || !isSmall || isTwice || member.entry.state === "sealed") {
      single.push(member);
      continue;
    }
    if (group.length === maxExhibits || bytes + totalBytes > mostBytes) {
      together.push(group);
      group = [];
      bytes = 0;
    }
    group.push({ ...member, file });
    grouped.add(member.entry.id);
    bytes += totalBytes;
  }
  if (group.length > 0) together.push(group);
  return {
    together: together.filter(({ length }) => length > 1),
    single: [...single, ...together.filter(({ length }) => length === 1).flat()],
  };
}

interface Outcomes {
  readonly outcomes: readonly PlanOutcome[];
  /** Those that the store did not take so: to be tried by themselves, where the reason will show. */
  readonly apart: readonly BundleMember[];
}

type Common = Omit<ExhibitUpload, "plan">;

/**
 * Reads small exhibits, seals their records, sends all in one request and keeps their receipts. One buffer serves digests and
 * every try, as for a part.
 */
export async function uploadBundle(
  upload: Common,
  members: readonly SmallMember[],
  signal: AbortSignal,
): Promise<Outcomes> {
  const { buffers } = upload.line;
  try {
    const total = members.reduce((sum, { plan }) => sum + plan.totalBytes, 0);
    const buffer = await buffers.take(total, signal);
    try {
      const { read, failed } = await readAll(upload, members, buffer, signal);
      const sent = await sendOrSplit(upload, read, signal);
      return { outcomes: [...failed, ...sent.outcomes], apart: sent.apart };
    } finally {
      buffers.give(buffer);
    }
  } catch (error) {
    return { outcomes: members.map(({ place, plan }) => ({ place, plan, error })), apart: [] };
  }
}

/** A member that was read and whose record is signed. */
interface ReadMember {
  readonly member: SmallMember;
  readonly small: SmallExhibit;
}

async function readAll(
  upload: Common,
  members: readonly SmallMember[],
  buffer: Buffer,
  signal: AbortSignal,
): Promise<{ read: ReadMember[]; failed: PlanOutcome[] }> {
  const read: ReadMember[] = [];
  const failed: PlanOutcome[] = [];
  let at = 0;
  for (let from = 0; from < members.length; from += openAtOnce) {
    signal.throwIfAborted();
    const some = members.slice(from, from + openAtOnce).map((member) => {
      const bytes = buffer.subarray(at, at + member.plan.totalBytes);
      at += bytes.length;
      return { member, bytes };
    });
    const results = await Promise.allSettled(
      some.map(({ member, bytes }) => readMember(upload, member, bytes)),
    );
    for (const [index, result] of results.entries()) {
      const member = some[index]?.member;
      if (member === undefined) continue;
      if (result.status === "fulfilled") read.push({ member, small: result.value });
      else {
        const { place, plan } = member;
        failed.push({ place, plan, error: result.reason });
      }
    }
  }
  return { read, failed };
}

async function readMember(
  { deps, connection, request, fixed }: Common,
  { plan, entry, file }: SmallMember,
  bytes: Buffer,
): Promise<SmallExhibit> {
  const { source, clock, tool, onEvent } = deps;
  const { path, sizeBytes } = file;
  onEvent({ type: "file-started", path, sizeBytes });
  const collectedAt = clock.now();
  const head = await fill(bytes, file, source);
  const sha256 = sha256Of(bytes);
  requireFixed(fixed, file, sha256);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const key = contentKey(entry.case, entry.reference, 1, name);
  const stored = { key, sizeBytes, sha256, proof: "whole" } as const;
  const transferred = { ...stored, bytesSent: sizeBytes, bytesSkipped: 0, head };
  const files = [{ entry: file, transferred }];
  const facts = { request, plan, entry, collectedAt, files, connection, tool };
  return { entry, key, bytes, sha256, record: await signedRecord(facts) };
}

async function fill(
  bytes: Buffer,
  entry: SourceEntry,
  source: Common["deps"]["source"],
): Promise<Uint8Array> {
  const file = await openWatched(source, entry);
  try {
    await file.fill(bytes, 0);
    return file.head();
  } finally {
    await file.close();
  }
}

/** Sends them in one request; in halves where something on the way finds that too long. */
async function sendOrSplit(
  upload: Common,
  read: readonly ReadMember[],
  signal: AbortSignal,
): Promise<Outcomes> {
  if (read.length === 0) return { outcomes: [], apart: [] };
  try {
    return await sendAll(upload, read, signal);
  } catch (error) {
    // Only these fail: what went in another request may be sealed already.
    if (!hasCode(error, "policy.too-large")) return { outcomes: allFailed(read, error), apart: [] };
    if (read.length === 1) return { outcomes: [], apart: read.map(({ member }) => member) };
    const middle = Math.ceil(read.length / 2);
    const first = await sendOrSplit(upload, read.slice(0, middle), signal);
    const second = await sendOrSplit(upload, read.slice(middle), signal);
    return {
      outcomes: [...first.outcomes, ...second.outcomes],
      apart: [...first.apart, ...second.apart],
    };
  }
}

function allFailed(read: readonly ReadMember[], error: unknown): PlanOutcome[] {
  return read.map(({ member: { place, plan } }) => ({ place, plan, error }));
}

async function sendAll(
  { deps, connection, line }: Common,
  read: readonly ReadMember[],
  signal: AbortSignal,
): Promise<Outcomes> {
  const { bundles } = connection;
  if (bundles === undefined) throw new Error("This store takes no bundles.");
  const smalls = read.map(({ small }) => small);
  const parking = parkedAfter(signal, parkingMs);
  try {
    const answers = await sendUnchanged(
      { ...deps, line },
      contentOf(smalls),
      () => bundles.sendAll(smalls, parking.signal),
      parking.signal,
    );
    return await settled(deps, read, answers);
  } finally {
    parking.end();
  }
}

/** The stretch of the buffer that they lie in, one behind the other, to find out whether it still is what was hashed. */
function contentOf(smalls: readonly SmallExhibit[]): Part {
  const [first, last] = [smalls[0]?.bytes, smalls.at(-1)?.bytes];
  const bytes =
    first === undefined || last === undefined
      ? Buffer.alloc(0)
      : Buffer.from(
          first.buffer,
          first.byteOffset,
          last.byteOffset + last.byteLength - first.byteOffset,
        );
  return { offset: 0, length: bytes.length, bytes, sha256: sha256Of(bytes) };
}

async function settled(
  deps: Common["deps"],
  read: readonly ReadMember[],
  answers: readonly (SealedExhibit | ExhibitError)[],
): Promise<Outcomes> {
  const sealed: { member: SmallMember; exhibit: SealedExhibit }[] = [];
  const apart: BundleMember[] = [];
  for (const [index, { member }] of read.entries()) {
    const answer = answers[index];
    if (answer === undefined || answer instanceof ExhibitError) apart.push(member);
    else sealed.push({ member, exhibit: answer });
  }
  const receiptPaths = await deps.receipts.saveAll(
    sealed.map(({ exhibit }) => ({ exhibit, receipt: exhibit.sealedReceipt })),
  );
  const outcomes = sealed.map(({ member, exhibit }, index): PlanOutcome => {
    const { place, plan, file } = member;
    const receiptPath = receiptPaths[index];
    if (typeof receiptPath !== "string") return { place, plan, error: receiptPath };
    const { path, sizeBytes } = file;
    deps.onEvent({ type: "part-done", path, bytes: sizeBytes, sent: true });
    deps.onEvent({ type: "file-done", path, proof: "whole" });
    const bytes = { bytesSent: sizeBytes, bytesSkipped: 0 };
    return {
      place,
      plan,
      exhibit: { ...uploadedOf(exhibit, receiptPath), outcome: "uploaded", ...bytes },
    };
  });
  return { outcomes, apart };
}
