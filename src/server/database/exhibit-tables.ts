import type { CustodyVerb } from "../../evidence/custody.ts";
import type { Proof } from "../../evidence/proof.ts";

/** An exhibit; submitter, case and source id together are unique, and so are case and reference. */
export interface ExhibitRow {
  readonly id: string;
  /** The identity that reserved it. */
  readonly submitter: string;
  readonly case_ref: string;
  readonly reference: string;
  readonly source_id: string;
  /** What it may hold: charged to the submitter's quota. */
  total_bytes: number;
  readonly reserved_at: string;
  /** `sealing`: record and receipt are settled, and on their way into the content store. */
  state: "open" | "sealing" | "sealed";
  sealed_at: string | null;
  /** The sealed record and receipt as JSON, byte for byte as they lie in the content store. */
  record: string | null;
  receipt: string | null;
  /** Where its custody log stands. */
  custody_lines: number;
  custody_head: string;
}

/** A line of an exhibit's custody log, as written. */
export interface CustodyEventRow {
  readonly exhibit_id: string;
  readonly seq: number;
  readonly verb: CustodyVerb;
  readonly line: string;
}

/** A finished key: a file whose content has been proved, or, once the exhibit is sealed, one of its documents. */
export interface StoredFileRow {
  readonly key: string;
  readonly exhibit_id: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly proof: Proof;
  readonly stored_at: string;
  /** What the content store itself keeps of it, as JSON, where it keeps any such thing. */
  readonly kept: string | null;
}

/** An upload; one that is `done` is kept for a while, for clients that lost the answer. */
export interface UploadRow {
  readonly id: string;
  readonly exhibit_id: string;
  readonly owner: string;
  readonly key: string;
  readonly size_bytes: number;
  readonly part_bytes: number;
  /** The content store's own id of it. */
  readonly content_id: string;
  state: "receiving" | "proving" | "done";
  /** What the client says the whole is, once it has asked to complete. */
  sha256: string | null;
  readonly started_at: string;
  expires_at: string;
}

/** What a content store holds of an unfinished upload, where its engine does not tell it. */
export interface ContentPartRow {
  /** The content store's id of the upload. */
  readonly content_id: string;
  readonly number: number;
  /** "" for a part that was only announced. */
  readonly etag: string;
  readonly size_bytes: number;
  readonly sha256: string;
}

export interface ExhibitTables {
  exhibits: ExhibitRow;
  custody_events: CustodyEventRow;
  stored_files: StoredFileRow;
  uploads: UploadRow;
  content_parts: ContentPartRow;
}
