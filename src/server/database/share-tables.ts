import type { Generated } from "kysely";
import type { ShareAccess, ShareAccessEvent } from "../../evidence/share.ts";

/** One named recipient's access. Its link's token and its code are kept only as digests. */
export interface ShareRow {
  /** The public id that is burnt into every copy. */
  readonly id: string;
  token_sha256: string;
  code_salt: string;
  /** Of zeros, which fit no code, where codes go by mail. */
  code_scrypt: string;
  readonly recipient_name: string;
  readonly recipient_email: string;
  readonly access: ShareAccess;
  readonly purpose: string | null;
  /** The identity that shared, or that an admin handed the share to. */
  created_by: string;
  /** That identity's organisation when it shared: the page says so. */
  readonly organisation: string;
  readonly created_at: string;
  readonly expires_at: string;
  revoked_at: string | null;
  /** When what an ended share leaves behind was cleared away. */
  cleared_at: string | null;
  /** 1 where link and codes go by mail to the recipient's address. */
  by_mail: Generated<number>;
  /** The newest code that was mailed, until it is used or its time is over. */
  mailed_code_salt: Generated<string | null>;
  mailed_code_scrypt: Generated<string | null>;
  mailed_code_until: Generated<string | null>;
  /** 1 where the recipient can leave no notes. */
  readonly no_notes: Generated<number>;
}

export interface ShareExhibitRow {
  readonly share_id: string;
  readonly exhibit_id: string;
  /** Order on the page, from 0. */
  readonly position: number;
  /** How each file can be shown, in order, joined by commas: a `MarkableKind` or `none`. */
  readonly kinds: string;
  /** When the recipient first saw something of it. */
  disclosed_at: string | null;
  revoked_at: string | null;
}

/** One time that the code was given. The cookie's secret is kept only as a digest. */
export interface ShareSessionRow {
  readonly id: string;
  readonly share_id: string;
  readonly secret_sha256: string;
  readonly address: string;
  readonly agent: string;
  readonly started_at: string;
  ends_at: string;
}

/** One access, or the like ones of one kind close together: `times` of them from `first_at` to `last_at`. */
export interface ShareAccessRow {
  readonly seq: Generated<number>;
  readonly share_id: string;
  readonly session_id: string | null;
  readonly kind: ShareAccessEvent["kind"];
  readonly address: string;
  readonly agent: string;
  readonly exhibit_id: string | null;
  /** The exhibit's file, from 1. */
  readonly ordinal: number | null;
  readonly detail: string | null;
  readonly first_at: string;
  last_at: string;
  times: number;
  /** Segments served, as ranges of their numbers: `0-14,22-30`. */
  segments: string | null;
}

/** A mail of a share: in the queue while it waits, and afterwards what became of it. */
export interface ShareMailRow {
  readonly id: string;
  readonly share_id: string;
  readonly kind: "link" | "code";
  /** `dropped`: not worth sending any more, because the share ended or has another link. */
  state: "waiting" | "sent" | "refused" | "dropped";
  /** The mail itself, sealed for this server alone, because it holds a secret; only while it waits. */
  sealed: string | null;
  reply: string | null;
  tries: number;
  readonly made_at: string;
  next_at: string;
  readonly give_up_at: string;
  tried_at: string | null;
}

/** A note that the recipient left at a place in a file. The custody log has it, too, sealed. */
export interface ShareNoteRow {
  readonly seq: Generated<number>;
  readonly share_id: string;
  readonly session_id: string;
  readonly exhibit_id: string;
  /** The exhibit's file, from 1. */
  readonly ordinal: number;
  /** The place in a recording, or in a document; neither for a picture. */
  readonly seconds: number | null;
  readonly page: number | null;
  readonly text: string;
  readonly at: string;
}

export interface ShareTables {
  shares: ShareRow;
  share_exhibits: ShareExhibitRow;
  share_sessions: ShareSessionRow;
  share_accesses: ShareAccessRow;
  share_mails: ShareMailRow;
  share_notes: ShareNoteRow;
}
