import type { Generated } from "kysely";

/** A smoke: what marks an exhibit as synthetic, and what stays of it when it is erased. */
export interface SmokeRow {
  /** Its reference is made of it; never given twice. */
  readonly serial: Generated<number>;
  /** Null only while it is being made. */
  exhibit_id: string | null;
  readonly started_by: string;
  readonly started_at: string;
  erased_at: string | null;
  /** An identity, or the server where nobody did within a day. */
  erased_by: string | null;
}

export interface SmokeTables {
  smokes: SmokeRow;
}
