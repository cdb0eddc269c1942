import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  randomNonce,
  randomPKCECodeVerifier,
  refreshTokenGrant,
  tokenRevocation,
  type Configuration,
  type CustomFetch,
} from "openid-client";
import { ExhibitError, hasCode } from "../../../evidence/errors.ts";
import type { Clock } from "../../../evidence/ports/clock.ts";
import type { DeviceCode } from "../../../evidence/ports/officer-sign-in.ts";
import { isLoopback } from "../../../evidence/web-address.ts";
import type { StatedProvider } from "../../../protocol/server-statement.ts";
import type { Network } from "../../network.ts";
import { fetchThrough, plainly } from "../../oauth-fetch.ts";
import { providerFailure, refusalOf, type Asked } from "./refusals.ts";

/** What the provider gave. */
export interface Granted {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Its end, and when it should be replaced, by this machine's clock, in ms since 1970. */
  readonly endsAt: number;
  readonly until: number;
}

/** Where an answer does not say. */
const usualLifeSeconds = 3600;
/** A token is replaced this long before its end, or a quarter of its life where that is less. */
const spareMs = 60_000;

/** What was begun on a page, and is needed when it comes back. */
export interface Begun {
  readonly url: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

/** The force's OpenID Connect provider, spoken to as one application without a secret. */
export class Provider {
  readonly #stated: StatedProvider;
  readonly #network: Network;
  readonly #clock: Clock;
  /** What a person types to sign in again. */
  readonly #again: string;

  constructor(
    stated: StatedProvider,
    { network, clock }: { readonly network: Network; readonly clock: Clock },
    again: string,
  ) {
    this.#stated = stated;
    this.#network = network;
    this.#clock = clock;
    this.#again = again;
  }

  /** The page where a person signs in: authorisation code with PKCE S256, state and nonce. */
  async begin(redirectUri: string, state: string, signal: AbortSignal): Promise<Begun> {
    const verifier = randomPKCECodeVerifier();
    const nonce = randomNonce();
    const url = buildAuthorizationUrl(await this.#configuration("page", signal), {
      redirect_uri: redirectUri,
      scope: this.#scope,
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return { url: url.href, state, nonce, verifier, redirectUri };
  }

  /** Redeems what the page sent back to `answered`. @throws ExhibitError `auth.*`, `unavailable.sign-in` */
  async redeem(begun: Begun, answered: URL, signal: AbortSignal): Promise<Granted> {
    const { searchParams } = answered;
    const error = searchParams.get("error");
    if (error !== null) {
      const description = searchParams.get("error_description") ?? "";
      throw refusalOf(error, description, "page", this.#again);
    }
    const configuration = await this.#configuration("page", signal, (body) => {
      // The library writes a slash behind the host, and Entra ID compares letter by letter.
      body.set("redirect_uri", begun.redirectUri);
    });
    return this.#granted(signal, () =>
      authorizationCodeGrant(configuration, answered, {
        expectedState: begun.state,
        expectedNonce: begun.nonce,
        pkceCodeVerifier: begun.verifier,
        idTokenExpected: true,
      }),
    );
  }

  /** Signs in with a code on another device. @throws ExhibitError `policy.device-flow-blocked`, `auth.*`, `unavailable.sign-in` */
  async byDevice(showCode: (code: DeviceCode) => void, signal: AbortSignal): Promise<Granted> {
    const configuration = await this.#configuration("device", signal);
    if (configuration.serverMetadata().device_authorization_endpoint === undefined) {
      throw refusalOf("unsupported_grant_type", "", "device", this.#again);
    }
    return this.#granted(signal, async () => {
      const begun = await initiateDeviceAuthorization(configuration, { scope: this.#scope });
      showCode({
        code: begun.user_code,
        page: begun.verification_uri,
        minutes: Math.floor(begun.expires_in / 60),
      });
      return pollDeviceAuthorizationGrant(configuration, begun, undefined, { signal });
    });
  }

  /** Trades a refresh token for a new pair. @throws ExhibitError `auth.login-expired`, `unavailable.sign-in` */
  async refresh(refreshToken: string, signal: AbortSignal): Promise<Granted> {
    const configuration = await this.#configuration("refresh", signal);
    return this.#granted(signal, () => refreshTokenGrant(configuration, refreshToken));
  }

  /** Ends a login where the provider has a way to (RFC 7009); Entra ID has none. */
  async revoke(refreshToken: string, signal: AbortSignal): Promise<void> {
    const configuration = await this.#configuration("revoke", signal);
    if (configuration.serverMetadata().revocation_endpoint === undefined) return;
    await plainly(tokenRevocation(configuration, refreshToken));
  }

  get #scope(): string {
    return this.#stated.scopes.join(" ");
  }

  async #granted(
    signal: AbortSignal,
    ask: () => ReturnType<typeof refreshTokenGrant>,
  ): Promise<Granted> {
    const askedAt = this.#clock.now().getTime();
    let answer;
    try {
      answer = await plainly(ask());
    } catch (error) {
      signal.throwIfAborted();
      throw isLibraryRefusal(error) ? this.#notOurs(error) : error;
    }
    const lifeMs = (answer.expires_in ?? usualLifeSeconds) * 1000;
    return {
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      endsAt: askedAt + lifeMs,
      until: askedAt + lifeMs - Math.min(spareMs, lifeMs / 4),
    };
  }

  async #configuration(
    asked: Asked,
    signal: AbortSignal,
    edit?: (body: URLSearchParams) => void,
  ): Promise<Configuration> {
    const { issuer, clientId } = this.#stated;
    const { protocol, hostname } = new URL(issuer);
    const isPlain = protocol === "http:" && isLoopback(hostname);
    try {
      return await plainly(
        discovery(new URL(issuer), clientId, undefined, None(), {
          [customFetch]: this.#fetch(asked, signal, edit),
          ...(isPlain ? { execute: [allowInsecureRequests] } : {}),
        }),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (!isLibraryRefusal(error)) throw error;
      throw new ExhibitError(
        "unavailable.sign-in",
        "What the force's sign-in service says of itself makes no sense.",
        { hint: "The server's administrator should run: exhibit doctor sso.", cause: error },
      );
    }
  }

  #fetch(
    asked: Asked,
    signal: AbortSignal,
    edit: ((body: URLSearchParams) => void) | undefined,
  ): CustomFetch {
    return async (url, options) => {
      const { body } = options;
      if (body instanceof URLSearchParams) edit?.(body);
      const route = this.#network.route(url);
      try {
        return await fetchThrough(route, signal, (answer) =>
          providerFailure(answer, asked, this.#again),
        )(url, options);
      } catch (error) {
        if (!hasCode(error, "unavailable.store")) throw error;
        throw new ExhibitError(
          "unavailable.sign-in",
          `The force's sign-in service does not answer: ${error.message}`,
          { hint: "Try again later. exhibit doctor sso says more.", cause: error },
        );
      }
    };
  }

  /** The answer was not to what this machine asked, or breaks the rules: a code of another sign-in, a wrong nonce, no ID token. */
  #notOurs(cause: unknown): ExhibitError {
    return new ExhibitError(
      "auth.sign-in-denied",
      "What came back from the sign-in does not belong to it.",
      {
        hint: `Never go on from a link that somebody sent you. Begin again: ${this.#again}`,
        cause,
      },
    );
  }
}

function isLibraryRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("OAUTH_");
}
