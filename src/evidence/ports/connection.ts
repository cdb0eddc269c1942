import type { SigningKey } from "../seal.ts";
import type { Accounts } from "./accounts.ts";
import type { Bundles } from "./bundles.ts";
import type { Cases } from "./cases.ts";
import type { Doctor } from "./doctor.ts";
import type { Inbox } from "./inbox.ts";
import type { Register } from "./register.ts";
import type { Requests } from "./requests.ts";
import type { Sharing } from "./sharing.ts";
import type { SmokeRoom } from "./smoke-room.ts";
import type { Store } from "./store.ts";

/** A sign-in by a force's provider. */
export interface Login {
  readonly issuer: string;
  /** When the access token ends that is kept now; it is renewed while the provider allows it. */
  until(): Promise<Date | undefined>;
}

/** A configured store, opened: everything the use cases may do with it. */
export interface Connection {
  /** The name it was given with `exhibit store add`. */
  readonly name: string;
  readonly store: Store;
  readonly register: Register;
  /** Absent where the store takes exhibits one by one only. */
  readonly bundles: Bundles | undefined;
  /** What this machine signs its records with: the enrolled key, or the machine's own. */
  readonly signer: SigningKey;
  /** Absent where nobody signed in by a force's provider. */
  readonly login?: Login | undefined;
  /** This machine's clock minus the server's, where a server was asked. */
  readonly clockOffsetMs: number | undefined;
  /** Absent where the store has no share links of its own. */
  readonly sharing: Sharing | undefined;
  /** Absent where the store has no accounts of its own. */
  readonly accounts: Accounts | undefined;
  /** Absent where the store cannot tell of a case as a whole. */
  readonly cases?: Cases | undefined;
  /** Absent where the store does not tell what has landed. */
  readonly inbox?: Inbox | undefined;
  /** Absent where people outside cannot be asked for files. */
  readonly requests?: Requests | undefined;
  /** Absent where nothing decides what works but the store itself. */
  readonly doctor?: Doctor | undefined;
  /** Absent where synthetic material cannot be erased again. */
  readonly smoke?: SmokeRoom | undefined;
  close(): Promise<void>;
}
