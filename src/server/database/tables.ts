import type { AccountTables } from "./account-tables.ts";
import type { ExhibitTables } from "./exhibit-tables.ts";
import type { InboxTables } from "./inbox-tables.ts";
import type { ShareTables } from "./share-tables.ts";
import type { SmokeTables } from "./smoke-tables.ts";

/** Every table of the server's database. Times are RFC 3339 text, sizes integers, truth is 0 or 1. */
export interface Tables
  extends AccountTables, ExhibitTables, ShareTables, InboxTables, SmokeTables {}
