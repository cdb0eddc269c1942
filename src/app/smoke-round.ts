import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Identity } from "../evidence/identity.ts";
import { contentKey } from "../evidence/key.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { Sharing } from "../evidence/ports/sharing.ts";
import type { SharedFile, SmokeRoom, Stranger } from "../evidence/ports/smoke-room.ts";
import type { Stored } from "../evidence/ports/store.ts";
import { proves } from "../evidence/proof.ts";
import { recordSchema, recordType } from "../evidence/record.ts";
import { seal } from "../evidence/seal.ts";
import type { Deps } from "./deps.ts";
import { smokePicture } from "./smoke-picture.ts";
import type { SmokeSteps } from "./smoke-steps.ts";
import { verifyExhibit } from "./verify-exhibit.ts";

/** What a round needs of this machine. */
export type RoundDeps = Pick<Deps, "clock" | "patience" | "outage" | "tool">;

/** What a round has begun, for whoever ends it. */
export interface Begun {
  /** What can be erased. */
  erasable?: { readonly room: SmokeRoom; readonly entry: ExhibitEntry };
  bytes: number;
}

/** A part is at least so long, so that two of them say something of a line. */
const leastPartBytes = 64 * 1024;
const beginMs = 15_000;
const shareMs = 60 * 60 * 1000;

/** Takes all steps between the sign-in and the erasing. @throws what the step throws that fails */
export async function smokeRound(
  deps: RoundDeps,
  connection: Connection,
  steps: SmokeSteps,
  begun: Begun,
  signal: AbortSignal,
): Promise<void> {
  const { smoke: room, sharing, accounts } = connection;
  const identity = await steps.take("sign-in", async () => accounts?.me(signal));
  const partBytes = Math.max(leastPartBytes, connection.store.capabilities.parts.minBytes);
  const bytes = smokePicture(partBytes + leastPartBytes / 2);
  begun.bytes = bytes.length;
  const entry = await steps.take("begin", async () => {
    if (room === undefined) throw notHere();
    // Not stopped in the middle: nobody would know what was made, and so what is to be erased.
    const made = await room.begin(bytes.length, AbortSignal.timeout(beginMs));
    begun.erasable = { room, entry: made };
    signal.throwIfAborted();
    return made;
  });
  const stored = await steps.take(
    "upload",
    () => uploadTwoParts(connection, entry, bytes, partBytes, signal),
    ({ proof }) => `2 parts, ${bytes.length} bytes, proof: ${proof}`,
  );
  await steps.take("seal", () => sealRecord(deps, connection, entry, stored, signal));
  await steps.take("verify", () => verifyAll(deps, connection, entry, signal));
  const file = { exhibit: entry.id, ordinal: 1, masterSha256: stored.sha256 };
  const stranger = room?.stranger;
  const why = whyNotShared(sharing, stranger, identity);
  if (why !== undefined || sharing === undefined || stranger === undefined) {
    steps.leaveOut(["share", "open", "revoke", "prove-dead"], why ?? "");
    return;
  }
  await shareAndCut(deps, { sharing, stranger, steps }, entry, file, signal);
}

function whyNotShared(
  sharing: Sharing | undefined,
  stranger: Stranger | undefined,
  identity: Identity | undefined,
): string | undefined {
  if (sharing === undefined || stranger === undefined) return "this store has no links of its own";
  return identity?.role === "partner" ? "partners cannot share" : undefined;
}

async function uploadTwoParts(
  { store }: Connection,
  { case: caseRef, reference }: ExhibitEntry,
  bytes: Uint8Array,
  partBytes: number,
  signal: AbortSignal,
): Promise<Stored> {
  const key = contentKey(caseRef, reference, 1, "smoke.png");
  const upload = await store.begin(key, bytes.length, partBytes, signal);
  for (let offset = 0; offset < bytes.length; offset += upload.partBytes) {
    const part = bytes.subarray(offset, offset + upload.partBytes);
    const sha256 = sha256Of(part);
    await store.putPart(upload, { offset, length: part.length, bytes: part, sha256 }, signal);
  }
  const sha256 = sha256Of(bytes);
  const stored = await store.complete(upload, { sha256 }, signal);
  if (stored.sha256 !== sha256) {
    throw new ExhibitError("integrity.mismatch", "The store says that it received other bytes.");
  }
  if (proves(stored.proof, "transport")) return stored;
  throw new ExhibitError(
    "integrity.proof-too-weak",
    `The store proved only "${stored.proof}" of what arrived.`,
    { hint: "Have it tried out once: exhibit store check." },
  );
}

async function sealRecord(
  { clock, tool }: RoundDeps,
  { register, signer }: Connection,
  entry: ExhibitEntry,
  stored: Stored,
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now().toISOString();
  const { id, case: caseRef, reference } = entry;
  const { key, sizeBytes, sha256 } = stored;
  const file = { path: "smoke.png", key, sizeBytes, modifiedAt: now, digest: { sha256 } };
  const record = recordSchema.parse({
    schema: recordType,
    id,
    case: caseRef,
    reference,
    title: "Synthetic material of exhibit smoke",
    // Synthetic material is called by its reference by whoever submits it, too.
    sourceId: reference,
    collectedAt: now,
    files: [{ ...file, mediaType: "image/png" }],
    uploader: { key: signer.publicJwk, thumbprint: signer.thumbprint },
    tool,
  });
  const document = await seal(record, recordType, signer);
  await register.sealRecord(entry, document, new Map([[key, stored]]), signal);
}

async function verifyAll(
  deps: RoundDeps,
  connection: Connection,
  entry: ExhibitEntry,
  signal: AbortSignal,
): Promise<void> {
  const how = { deep: true, isLast: true };
  const checking = { ...deps, onEvent: () => undefined };
  const { failed } = await verifyExhibit(checking, connection, entry, how, signal);
  const [first] = failed;
  if (first === undefined) return;
  const { code, message, hint } = first;
  throw new ExhibitError(code, message, hint === undefined ? {} : { hint });
}

interface Linking {
  readonly sharing: Sharing;
  readonly stranger: Stranger;
  readonly steps: SmokeSteps;
}

async function shareAndCut(
  { clock }: RoundDeps,
  { sharing, stranger, steps }: Linking,
  entry: ExhibitEntry,
  file: SharedFile,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    exhibits: [entry],
    // The domain is reserved for what reaches nobody (RFC 2606).
    recipient: { name: "exhibit smoke", email: "smoke@exhibit.invalid" },
    access: "view",
    expiresAt: new Date(clock.now().getTime() + shareMs).toISOString(),
    purpose: undefined,
    mail: false,
    notes: false,
  } as const;
  const { share, link, code } = await steps.take("share", () => sharing.create(request, signal));
  const opened = await steps.take(
    "open",
    () => stranger.open(link, code ?? "", file, signal),
    ({ copyBytes }) => `a marked copy of ${copyBytes} bytes`,
  );
  await steps.take("revoke", () => sharing.revoke(share.id, undefined, signal));
  await steps.take("prove-dead", () => opened.requireDead(signal));
}

function notHere(): ExhibitError {
  return new ExhibitError(
    "policy.unsupported",
    "Synthetic material could not be erased again in a store of this kind. Nothing was written.",
    { hint: "See what would not work there with exhibit doctor STORE." },
  );
}
