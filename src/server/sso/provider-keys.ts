import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from "jose";
import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import { isLoopback } from "../../evidence/web-address.ts";

/** Gets a JSON document; a redirect is not followed. */
export type GetJson = (url: string) => Promise<unknown>;

/** Keys are asked for anew after this long; a key that the provider took back counts no longer than that. */
const freshMs = 10 * 60_000;
/** Where the provider cannot be reached, the keys it had are believed for this long. */
const keptMs = 24 * 3_600_000;
/** How long a provider that did not answer is left alone, while its keys are known: each try may take its whole time. */
const restMs = 60_000;
/** A key that is not known has the keys asked for again, but not more often than this: anybody can name keys. */
const coolDownMs = 5_000;

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });
const keySetSchema = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

interface Held {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly at: number;
}

/**
 * The provider's signing keys, found by its discovery document (OpenID Connect Discovery 1.0) and asked for again when they are
 * ten minutes old or when a token names one that is not known. Where the provider is down, keys that are known go on counting.
 */
export class ProviderKeys {
  readonly #issuer: string;
  readonly #getJson: GetJson;
  readonly #clock: Clock;
  #held: Held | undefined;
  #triedAt = -Infinity;
  #asking: Promise<void> | undefined;
  #failure: unknown;

  constructor(issuer: string, getJson: GetJson, clock: Clock) {
    this.#issuer = issuer;
    this.#getJson = getJson;
    this.#clock = clock;
  }

  /**
   * The key that a token's header names.
   *
   * @throws JWKSNoMatchingKey where the provider has none like it; ExhibitError `unavailable.sign-in` where it cannot be asked
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const now = this.#clock.now().getTime();
    const age = this.#held === undefined ? Infinity : now - this.#held.at;
    const isResting = this.#failure !== undefined && Math.abs(now - this.#triedAt) < restMs;
    if (age > freshMs && !(isResting && age <= keptMs)) await this.#askAgain(now);
    try {
      return await this.#known(now).find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const isAnswered = await this.#askAgain(now);
      // Nobody can say whose key this is while the provider is silent, or was asked just now; a client tries again.
      if (!isAnswered || this.#failure !== undefined) throw this.#silent();
      return await this.#known(now).find(header, token);
    }
  }

  #known(now: number): Held {
    if (this.#held !== undefined && now - this.#held.at <= keptMs) return this.#held;
    throw this.#silent();
  }

  #silent(): ExhibitError {
    return new ExhibitError(
      "unavailable.sign-in",
      "This server cannot ask the force's sign-in service for its keys.",
      {
        hint: "Try again in a minute. If it goes on, the server's administrator should run: exhibit doctor sso.",
        cause: this.#failure,
      },
    );
  }

  /** @returns false, where it was done just now */
  async #askAgain(now: number): Promise<boolean> {
    if (this.#asking === undefined) {
      if (Math.abs(now - this.#triedAt) < coolDownMs) return false;
      this.#triedAt = now;
      this.#asking = this.#ask(now).finally(() => {
        this.#asking = undefined;
      });
    }
    await this.#asking;
    return true;
  }

  async #ask(now: number): Promise<void> {
    try {
      const discovery = discoverySchema.parse(
        await this.#getJson(`${this.#issuer.replace(/\/$/, "")}/.well-known/openid-configuration`),
      );
      if (discovery.issuer !== this.#issuer) {
        throw new Error("The discovery document is another issuer's.");
      }
      assertSafe(discovery.jwks_uri);
      const keys = keySetSchema.parse(await this.#getJson(discovery.jwks_uri));
      this.#held = { find: createLocalJWKSet(keys), at: now };
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** Keys that came unprotected could be anybody's. */
function assertSafe(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:" || (protocol === "http:" && isLoopback(hostname))) return;
  throw new Error("The provider's keys would be fetched without encryption.");
}
