import type { Receipt } from "../receipt.ts";
import type { ExhibitAddress } from "../address.ts";
import type { ExhibitRecord } from "../record.ts";
import type { Stored } from "./store.ts";
import type { PublicJwk, Sealed } from "../seal.ts";

/** An exhibit asked for: the identity of an upload is submitter + case + source id. */
export interface Reservation {
  readonly case: string;
  /** Wanted reference; left out, the register allots the next free one under `initials`. */
  readonly reference: string | undefined;
  /** Producer's initials; left out, the register takes its own (a server: those of the organisation). */
  readonly initials: string | undefined;
  readonly sourceId: string;
  readonly totalBytes: number;
}

/** An exhibit as far as it has come. `open`: reserved, content may come. `sealed`: it never changes again. */
export interface ExhibitEntry {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly state: "open" | "sealed";
  readonly reservedAt: string;
}

/** A sealed exhibit with its documents, both signatures checked against pinned keys. */
export interface SealedExhibit extends ExhibitEntry {
  readonly record: ExhibitRecord;
  readonly sealedRecord: Sealed;
  readonly receipt: Receipt;
  readonly sealedReceipt: Sealed;
}

/** How each file of an exhibit was proved when it was stored, and what the store keeps of it, by key. */
export type Proofs = ReadonlyMap<string, Pick<Stored, "proof" | "kept">>;

/** Finds and lists exhibits, gives them references and seals them. */
export interface Register {
  /** The key that this register's receipts are signed with: the pin. */
  readonly issuerKey: PublicJwk;

  /** The key with this thumbprint, where it was one that this register signed with at that time (RFC 3339); else undefined. */
  issuerKeyAt(thumbprint: string, at: string, signal: AbortSignal): Promise<PublicJwk | undefined>;

  /** References are allotted only under initials that are given; otherwise the register has some of its own. */
  readonly needsInitials: boolean;

  /**
   * Reserves an exhibit, or finds the one that this submitter reserved for the same case and source id, sealed or not.
   *
   * @throws `conflict.exists` when the wanted reference belongs to another source; `policy.quota`;
   * `usage.missing` when no reference is given and the store cannot allot one
   */
  reserve(reservation: Reservation, signal: AbortSignal): Promise<ExhibitEntry>;

  /**
   * Which of these sources this submitter has reserved in a case, sealed or not, by source id; nothing is reserved by asking.
   * Any number at once.
   */
  lookup(
    caseRef: string,
    sourceIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ExhibitEntry>>;

  /**
   * Hands in the record, last of all: its arrival is the commit point. Waits while the store still proves.
   *
   * @throws `integrity.mismatch` when record and content disagree; `conflict.sealed` when another record is there
   */
  sealRecord(
    entry: ExhibitEntry,
    record: Sealed,
    proofs: Proofs,
    signal: AbortSignal,
  ): Promise<SealedExhibit>;

  /** The exhibits that an address fits: none, one, or, for a bare reference, several. */
  find(address: ExhibitAddress, signal: AbortSignal): Promise<ExhibitEntry[]>;

  /** A sealed exhibit's documents. @throws `not-found.exhibit` when unknown or not yet sealed */
  read(entry: ExhibitEntry, signal: AbortSignal): Promise<SealedExhibit>;

  /** All exhibits the caller may see, of one case or of all, ordered by case and reference. */
  list(caseRef: string | undefined, signal: AbortSignal): AsyncIterable<ExhibitEntry>;

  /** The custody log's lines as written, oldest first. */
  custody(entry: ExhibitEntry, signal: AbortSignal): Promise<string[]>;
}
