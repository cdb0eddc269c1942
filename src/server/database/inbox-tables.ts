import type { Generated } from "kysely";

/** An exhibit that was sealed; the sequence, and no clock, says in which order. */
export interface ArrivalRow {
  readonly seq: Generated<number>;
  readonly exhibit_id: string;
}

/** That an identity follows a case (1), or does not want to though it has to do with it (0). */
export interface CaseFollowRow {
  readonly identity_id: string;
  readonly case_ref: string;
  follows: number;
  changed_at: string;
}

/** Up to which arrival an identity has looked. */
export interface InboxMarkRow {
  readonly identity_id: string;
  seq: number;
}

export interface InboxTables {
  arrivals: ArrivalRow;
  case_follows: CaseFollowRow;
  inbox_marks: InboxMarkRow;
}
