import type { ErrorCode } from "../evidence/errors.ts";
import type { Enrolment } from "../evidence/ports/accounts.ts";
import type { Clock } from "../evidence/ports/clock.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Destination } from "../evidence/ports/destination.ts";
import type { Fetcher } from "../evidence/ports/fetcher.ts";
import type { Journal } from "../evidence/ports/journal.ts";
import type { Receipts } from "../evidence/ports/receipts.ts";
import type { OfficerSignIn } from "../evidence/ports/officer-sign-in.ts";
import type { SignIn, SignInPlace } from "../evidence/ports/sign-in.ts";
import type { Source } from "../evidence/ports/source.ts";
import type { StoreProbe } from "../evidence/ports/store-probe.ts";
import type { PlanRow, UploadQueues } from "../evidence/ports/upload-queue.ts";
import type { OnTransferEvent } from "../evidence/progress.ts";
import type { Outage } from "../transfer/outage.ts";
import type { Patience } from "../transfer/patience.ts";

/** A signing key that this machine trusts, and why. */
export interface Pin {
  /** RFC 7638 SHA-256 thumbprint. */
  readonly thumbprint: string;
  /** In words: "store met", "this machine". */
  readonly whose: string;
  /** When the key was retired: what it has signed counts up to then. */
  readonly until?: string;
}

/** What the use cases are built from; each takes the members it needs. Only `main.ts` makes one. */
export interface Deps {
  /** Opens a configured store, or the default one. @throws `not-found.store`, `usage.missing`, `auth.required` */
  connect(store: string | undefined): Promise<Connection>;
  /** The store that a name, or a URL itself, stands for; one that is not configured is called by its URL. @throws `not-found.store`, `usage.missing` */
  locate(store: string | undefined): Promise<SignInPlace>;
  /** Keys pinned on this machine: those of the configured stores and its own. Asks no network. */
  pins(): Promise<readonly Pin[]>;
  /** At exhibit servers. */
  readonly enrolment: Enrolment;
  /** At exhibit servers whose force has a provider. */
  readonly officers: OfficerSignIn;
  /** At stores that have accounts of their own. */
  readonly signIn: SignIn;
  readonly probe: StoreProbe;
  readonly source: Source;
  readonly fetcher: Fetcher;
  readonly destination: Destination;
  readonly journal: Journal;
  readonly queues: UploadQueues;
  readonly receipts: Receipts;
  readonly clock: Clock;
  readonly patience: Patience;
  readonly outage: Outage;
  readonly tool: { readonly name: string; readonly version: string };
  readonly onEvent: OnTransferEvent;
}

/** Something that went wrong with one of several things, while the others went on. */
export interface Failure {
  /** What it is about, for the person at the terminal: a path, a file of an exhibit, a document. */
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** The row of a list that it is about. */
  readonly row?: OutcomeRow;
}

/** A row of a list, as it is told of what became of it. */
export interface OutcomeRow extends PlanRow {
  readonly case: string;
  /** As far as it was given. */
  readonly reference?: string;
}
