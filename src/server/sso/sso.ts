import type { JWTVerifyGetKey } from "jose";
import type { RoleMap } from "./role-map.ts";

/** The force's OpenID Connect provider, as this server believes it. */
export interface Sso {
  /** Letter by letter what its tokens and its discovery document say. */
  readonly issuer: string;
  /** The application that officers' machines sign in with. */
  readonly clientId: string;
  /** Whom access tokens must be for: this server, as the provider calls it. */
  readonly audience: string;
  /** What an officer's machine asks the provider for. */
  readonly scopes: readonly string[];
  readonly roleMap: RoleMap;
  readonly keys: JWTVerifyGetKey;
}
