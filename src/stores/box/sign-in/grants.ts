import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  clientCredentialsGrant,
  ClientSecretPost,
  Configuration,
  customFetch,
  genericGrantRequest,
  randomPKCECodeVerifier,
  refreshTokenGrant,
  tokenRevocation,
} from "openid-client";
import { boxAddress } from "../../../evidence/box-address.ts";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { Clock } from "../../../evidence/ports/clock.ts";
import type { Application, SignInPlace, Subject } from "../../../evidence/ports/sign-in.ts";
import type { Network } from "../../network.ts";
import { fetchThrough, plainly } from "../../oauth-fetch.ts";
import { assertion } from "./assertion.ts";
import type { KeyLogin } from "./kept-login.ts";
import { noSense, oauthFailure, type Asked } from "./refusals.ts";

/** What asking Box for tokens needs of this machine. */
export interface GrantMachine {
  readonly network: Network;
  readonly clock: Clock;
}

/** What Box gave. */
export interface Granted {
  readonly accessToken: string;
  /** Absent for unattended jobs. */
  readonly refreshToken: string | undefined;
  /** End of the access token by this machine's clock, in ms since 1970. */
  readonly until: number;
}

/** Asks Box's token endpoint on behalf of one application. All throw ExhibitErrors: `auth.*`, `unavailable.*`. */
export class Grants {
  readonly #place: SignInPlace;
  readonly #machine: GrantMachine;
  readonly #application: Application;

  constructor(place: SignInPlace, application: Application, machine: GrantMachine) {
    this.#place = place;
    this.#application = application;
    this.#machine = machine;
  }

  /** Address of the page where a person signs in, and the secret that proves later that it was us who sent them there. */
  async page(redirectUri: string, state: string): Promise<{ url: string; verifier: string }> {
    const verifier = randomPKCECodeVerifier();
    const url = buildAuthorizationUrl(this.#configuration(), {
      redirect_uri: redirectUri,
      state,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return { url: url.href, verifier };
  }

  /** Redeems what the page sent back to `answered`. */
  redeem(answered: URL, state: string, verifier: string, signal: AbortSignal): Promise<Granted> {
    return this.#granted("page", signal, (configuration) =>
      authorizationCodeGrant(configuration, answered, {
        expectedState: state,
        pkceCodeVerifier: verifier,
      }),
    );
  }

  /** Trades a refresh token for a new pair; it is spent by that. */
  refresh(refreshToken: string, signal: AbortSignal): Promise<Granted> {
    return this.#granted("refresh", signal, (configuration) =>
      refreshTokenGrant(configuration, refreshToken),
    );
  }

  /** A clock that Box finds wrong is put right by Box's own, once. */
  async byKey(login: KeyLogin, signal: AbortSignal): Promise<Granted> {
    try {
      return await this.#byKeyAt(login, 0, signal);
    } catch (error) {
      if (!(error instanceof ExhibitError) || error.code !== "auth.clock-wrong") throw error;
      return this.#byKeyAt(login, Number(error.facts["offsetSeconds"]), signal);
    }
  }

  async #byKeyAt(login: KeyLogin, aheadSeconds: number, signal: AbortSignal): Promise<Granted> {
    const theirNow = new Date(this.#machine.clock.now().getTime() - aheadSeconds * 1000);
    const signed = await assertion(login, theirNow);
    return this.#granted("key", signal, (configuration) =>
      genericGrantRequest(configuration, "urn:ietf:params:oauth:grant-type:jwt-bearer", {
        assertion: signed,
      }),
    );
  }

  byCredentials(subject: Subject, signal: AbortSignal): Promise<Granted> {
    return this.#granted("credentials", signal, (configuration) =>
      clientCredentialsGrant(configuration, {
        box_subject_type: subject.type,
        box_subject_id: subject.id,
      }),
    );
  }

  /** Ends a login by its refresh token. */
  async revoke(refreshToken: string, signal: AbortSignal): Promise<void> {
    await plainly(tokenRevocation(this.#configuration("revoke", signal), refreshToken));
  }

  async #granted(
    asked: Asked,
    signal: AbortSignal,
    ask: (configuration: Configuration) => ReturnType<typeof refreshTokenGrant>,
  ): Promise<Granted> {
    const { api } = boxAddress(this.#place.url);
    const askedAt = this.#machine.clock.now().getTime();
    let answer;
    try {
      answer = await plainly(ask(this.#configuration(asked, signal)));
    } catch (error) {
      signal.throwIfAborted();
      // What openid-client itself finds wrong is an answer that fits no rule.
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      throw code.startsWith("OAUTH_") ? noSense({ status: 200, url: api }) : error;
    }
    return {
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      until: askedAt + (answer.expires_in ?? usualLifeSeconds) * 1000,
    };
  }

  #configuration(asked?: Asked, signal?: AbortSignal): Configuration {
    const { api, authorize } = boxAddress(this.#place.url);
    const { clientId, clientSecret } = this.#application;
    const configuration = new Configuration(
      {
        issuer: api,
        authorization_endpoint: `${authorize}/api/oauth2/authorize`,
        token_endpoint: `${api}/oauth2/token`,
        revocation_endpoint: `${api}/oauth2/revoke`,
      },
      clientId,
      undefined,
      ClientSecretPost(clientSecret),
    );
    // Only ever a loopback address: others were refused before.
    if ([api, authorize].some((origin) => origin.startsWith("http:")))
      allowInsecureRequests(configuration);
    if (asked !== undefined && signal !== undefined) {
      const { network, clock } = this.#machine;
      configuration[customFetch] = fetchThrough(network.route(api), signal, (answer) =>
        oauthFailure(answer, asked, this.#place, clock.now()),
      );
    }
    return configuration;
  }
}

/** As Box's documents have it, where an answer does not say. */
const usualLifeSeconds = 3600;
