import type { Deps } from "../app/deps.ts";
import type { ExhibitError } from "../evidence/errors.ts";
import type { DoctorFinding } from "../evidence/ports/doctor.ts";
import type { OnTransferEvent } from "../evidence/progress.ts";
import type { Services } from "../evidence/ports/services.ts";
import type { WatchedFolder } from "../evidence/ports/watched-folder.ts";
import type { Proof } from "../evidence/proof.ts";
import type { SmtpAddress } from "../evidence/smtp-address.ts";
import type { Timetable } from "../evidence/timetable.ts";
import type { ServerKeeping } from "./server-keeping.ts";
import type { Terminal } from "./ui/terminal.ts";

/** What was typed of the settings that also have a variable and a place in the configuration file. */
export interface GivenSettings {
  readonly store?: string | undefined;
  readonly initials?: string | undefined;
  readonly caFile?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly partSize?: string | undefined;
  readonly requireProof?: string | undefined;
  readonly bwlimit?: string | undefined;
  readonly giveUpAfter?: string | undefined;
  readonly fetchHosts?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly clientId?: string | undefined;
  readonly insecureStorage?: boolean | undefined;
}

/** Those settings, settled and checked. */
export interface Settings {
  readonly store: string | undefined;
  readonly initials: string | undefined;
  readonly caFile: string | undefined;
  readonly concurrency: number;
  readonly partBytes: number;
  readonly requireProof: Proof;
  readonly bwlimit: Timetable;
  /** Infinite where nobody said so. */
  readonly giveUpAfterMs: number;
  /** Hosts that links may lead to, with commas or blanks between; "" for none. */
  readonly fetchHosts: string;
  readonly keyFile: string | undefined;
  /** Of the application that signs in at Box. */
  readonly clientId: string | undefined;
  readonly insecureStorage: boolean;
}

export interface SettledSettings {
  readonly settings: Settings;
  /** What the person should know about the configuration file. */
  readonly warnings: readonly string[];
}

export interface ConfiguredStore {
  readonly name: string;
  readonly url: string;
  readonly isDefault: boolean;
}

/** The stores in the configuration file. */
export interface StoreBook {
  list(): Promise<readonly ConfiguredStore[]>;
  /** The first store becomes the default. @throws `conflict.exists`, `not-found.store`, `usage.invalid`, `policy.insecure-address` */
  add(name: string, url: string, asDefault: boolean): Promise<ConfiguredStore>;
  /** Adds a store under a name made from its URL, unless one with this URL is there. */
  remember(url: string): Promise<ConfiguredStore>;
  /** Nothing in the store itself changes. @throws `not-found.store` */
  remove(name: string): Promise<ConfiguredStore>;
  /** @throws `not-found.store` */
  setDefault(name: string): Promise<ConfiguredStore>;
  /** Believes what a key of another machine has signed. @throws `usage.invalid` */
  trust(key: { readonly thumbprint: string; readonly whose: string }): Promise<void>;
  /** Believes it no more. False where it was not trusted. */
  distrust(thumbprint: string): Promise<boolean>;
  /** Later commands look for keys in the plain file, too, without being told. */
  rememberInsecureStorage(): Promise<void>;
}

export interface ServeRequest {
  /** Where the server keeps everything; left out, a folder of this user's state. */
  readonly dataDir: string | undefined;
  /** A bucket in S3 that content is kept in; left out, it is kept in the data folder. */
  readonly store: string | undefined;
  /** Clients send no part straight to the engine of that bucket. */
  readonly partsThroughServer: boolean;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Where `GET /metrics` is answered, apart from everything else; left out, nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly publicUrl: string | undefined;
  readonly trustProxy: readonly string[];
  /** As at the last start where it is not given. */
  readonly organisation: string | undefined;
  /** The force's identity provider; left out, everybody comes by an invitation. */
  readonly provider:
    | {
        readonly issuer: string;
        readonly clientId: string;
        readonly audience: string;
        readonly scopes: readonly string[];
        readonly roleMapFile: string;
      }
    | undefined;
  /** Certificates to trust, too, where this server is a client itself. */
  readonly caFile: string | undefined;
  readonly expireUploadsSeconds: number;
  /** Left out, officers hand links and codes over. */
  readonly smtp: SmtpRequest | undefined;
  readonly newAdminInvitation: boolean;
  /** Where an admin's invitation goes: a file, or back to be shown here. */
  readonly invitation: { readonly file: string | undefined } | "show";
  /** Log lines go to stderr rather than to a file in the data folder. */
  readonly logToStderr: boolean;
  /** Exhibits are found again in the content before the server listens. */
  readonly rebuildIndex: RebuildRequest | undefined;
}

export interface RebuildRequest {
  /** Thumbprints of keys that signed for this server before its data folder was lost. */
  readonly formerKeys: readonly string[];
  readonly onNotIndexed: (one: {
    readonly case: string;
    readonly reference: string;
    readonly error: ExhibitError;
  }) => void;
  readonly onProgress: (looked: number) => void;
}

/** How many exhibits were found in the content, and what became of them. */
export interface RebuiltIndex {
  readonly looked: number;
  readonly added: number;
  readonly finished: number;
  readonly present: number;
  readonly unsealed: number;
  readonly notIndexed: number;
}

/** The mail server that an exhibit server hands its mails to. */
export interface SmtpRequest {
  readonly address: SmtpAddress;
  /** The address that mails are from. */
  readonly from: string;
  /** Left out, the password is in the environment, or there is none. */
  readonly passwordFile: string | undefined;
  readonly caFile: string | undefined;
}

/** A server that accepts connections. */
export interface Serving {
  readonly url: string;
  readonly publicUrl: string;
  /** Thumbprint of the server's key, which clients pin. */
  readonly serverKey: string;
  readonly metricsUrl: string | undefined;
  readonly dataDir: string;
  /** Where content is kept, when that is not the data folder. */
  readonly contentUrl: string | undefined;
  /** Clients send the parts of files straight to the engine where content is kept. */
  readonly partsGoDirect: boolean;
  readonly logFile: string | undefined;
  readonly rebuilt: RebuiltIndex | undefined;
  /** An admin's invitation, when one was made: its code, or the file it was written to. */
  readonly invitation: { readonly code: string } | { readonly file: string } | undefined;
  /** Settles when the server was told to stop and has put everything away. */
  readonly finished: Promise<void>;
}

/** What the use cases need, and where secrets are kept, in words. */
export interface Client extends Deps {
  readonly secretsPlace: string;
  /** The secret of the application that signs in at Box, where the environment holds it. */
  readonly givenClientSecret: string | undefined;
  /** Shows a page in this person's browser; false where there is none. */
  openPage(url: string): Promise<boolean>;
  /** A folder of this machine, watched for a store. @throws `usage.invalid`, `unavailable.no-space` where it cannot keep what it takes */
  watchFolder(folder: string, store: string | undefined): Promise<WatchedFolder>;
  close(): Promise<void>;
}

/** This machine, as the commands may use it. Nothing of it is loaded before it is called. */
export interface Machine {
  /** Flag > `EXHIBIT_*` > configuration file > default. @throws `usage.invalid` */
  settings(given: GivenSettings): Promise<SettledSettings>;
  client(settings: Settings, signal: AbortSignal, onEvent: OnTransferEvent): Promise<Client>;
  stores(): Promise<StoreBook>;
  services(): Promise<Services>;
  /** What this machine can do, and what will not work here. */
  examine(given: GivenSettings, signal: AbortSignal): Promise<readonly DoctorFinding[]>;
  serve(request: ServeRequest, signal: AbortSignal): Promise<Serving>;
  /** The data folders of servers, for what is done beside serving. */
  servers(): Promise<ServerKeeping>;
}

/** What every command is given. Only `main.ts` and tests make one. */
export interface Context {
  readonly terminal: Terminal;
  readonly machine: Machine;
  readonly version: string;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}
