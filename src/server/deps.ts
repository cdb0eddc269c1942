import type { Kysely } from "kysely";
import type { Clock } from "../evidence/ports/clock.ts";
import type { DirectParts } from "../evidence/ports/direct-parts.ts";
import type { GroupedContent } from "../evidence/ports/grouped-content.ts";
import type { Mail } from "../evidence/ports/mail.ts";
import type { SmokeEraser } from "../evidence/ports/smoke-eraser.ts";
import type { Store } from "../evidence/ports/store.ts";
import type { PublicJwk, Sealed, SigningKey } from "../evidence/seal.ts";
import type { Tables } from "./database/tables.ts";
import type { Sso } from "./sso/sso.ts";

/** A key this server signed with once: still published, so that old receipts can be checked. */
export interface RetiredKey {
  readonly publicJwk: PublicJwk;
  readonly thumbprint: string;
  readonly retiredAt: string;
}

export interface ServerSettings {
  /** Fixes issuer and links; no slash at its end. */
  readonly publicUrl: string;
  /** Shown on the share page before the code. */
  readonly organisation: string;
  readonly version: string;
  /** Proxies whose `X-Forwarded-*` count, as CIDR. */
  readonly trustProxy: readonly string[];
  readonly expireUploadsMs: number;
  /** A folder for renditions; emptied when the server starts, holds nothing that must last. */
  readonly scratch: string;
}

/** What the server is built from. Only `main.ts` makes one. */
export interface ServerDeps {
  readonly content: Store;
  /** The same store's grouped writes, where it has them: without, no bundles are taken. */
  readonly grouped: GroupedContent | undefined;
  /** The engine behind it, where clients may send parts straight to it: without, all parts come through the server. */
  readonly directParts: DirectParts | undefined;
  /** What sends links and codes: without, officers hand both over. */
  readonly mail?: Mail | undefined;
  /** What takes synthetic material out of the content store again. */
  readonly smokeEraser: SmokeEraser;
  readonly database: Kysely<Tables>;
  readonly key: SigningKey;
  readonly retiredKeys: readonly RetiredKey[];
  /** The force's identity provider: without, everybody comes by an invitation. */
  readonly sso: Sso | undefined;
  /** Sealed statements by which each key was handed on to the next, oldest first. */
  readonly rotations: readonly Sealed[];
  readonly clock: Clock;
  readonly settings: ServerSettings;
}
