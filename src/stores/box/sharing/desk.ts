import type { Clock } from "../../../evidence/ports/clock.ts";
import type { Register } from "../../../evidence/ports/register.ts";
import type { Account } from "../enterprise/account.ts";
import type { Files } from "../files.ts";
import type { Shelf } from "./shelf.ts";

/** What all that is done with shares in Box has in common. */
export interface Desk {
  readonly files: Files;
  readonly register: Register;
  readonly clock: Clock;
  readonly account: Account;
  readonly shelf: Shelf;
}
