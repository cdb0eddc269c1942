import type { DoctorFinding } from "./doctor.ts";

/** How officers may sign in at a server, as its sealed statement says. */
export interface SignInOffer {
  /** Thumbprint of the key that sealed it. */
  readonly serverKey: string;
  /** It is the one that this machine pinned before. */
  readonly isPinned: boolean;
  /** The connection's certificate comes from a public authority, which vouches for the server's name. */
  readonly isPublic: boolean;
  /** The force's provider; undefined where everybody comes by an invitation. */
  readonly provider: { readonly issuer: string } | undefined;
}

/** A code that a person types on a page, on any device. */
export interface DeviceCode {
  readonly code: string;
  readonly page: string;
  readonly minutes: number;
}

/** Where the person signs in: on a page in this machine's browser, or with a code on another device (RFC 8628). */
export type SignInWay =
  | { readonly by: "page"; readonly showPage: (url: string) => void }
  | { readonly by: "device"; readonly showCode: (code: DeviceCode) => void };

/** How a doctor gets a look at the claims of a sign-in where none is kept; undefined, and it does without. */
export type ShowPage = ((url: string) => void) | undefined;

/** Signs officers in at exhibit servers by the force's OpenID Connect provider. */
export interface OfficerSignIn {
  /** Asks a server that is not trusted yet. @throws `auth.server-key-changed` where another key was pinned; `unavailable.store` */
  offer(url: string, signal: AbortSignal): Promise<SignInOffer>;
  /**
   * Signs in, pins `serverKey`, registers a new key of this machine for the person, and keeps both with the tokens under `url`.
   *
   * @throws `auth.sign-in-denied`, `auth.sign-in-late`, `auth.app-refused`, `auth.server-key-changed`, `auth.no-keychain`,
   * `policy.device-flow-blocked`, `policy.no-role`, `policy.groups-overage`, `policy.unsupported`, `unavailable.*`
   */
  signIn(url: string, serverKey: string, way: SignInWay, signal: AbortSignal): Promise<void>;
  /** Says what of signing in there will not work, and what to set. Keeps nothing. @throws `unavailable.store`, `auth.server-key-changed` */
  examine(url: string, showPage: ShowPage, signal: AbortSignal): Promise<readonly DoctorFinding[]>;
}
