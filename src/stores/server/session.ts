import type { Configuration } from "openid-client";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { Pace } from "../../evidence/ports/pace.ts";
import type { Secrets } from "../../evidence/ports/secrets.ts";
import { signingKey, type SigningKey } from "../../evidence/seal.ts";
import { serverAddress } from "../../evidence/web-address.ts";
import type { ServerStatement } from "../../protocol/server-statement.ts";
import type { Network, Route } from "../network.ts";
import { askServer, type KnownServer } from "./ask-server.ts";
import { callServer, type Answer, type Call } from "./http.ts";
import { keepServerKeys, loadIdentity } from "./kept-identity.ts";
import { grantToken, prepareGrant } from "./sign-in.ts";

/** What a session needs of this machine. */
export interface SessionMachine {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly network: Network;
}

/** A token is replaced this long before its end. */
const spareMs = 60_000;

/** A signed-in conversation with one exhibit server, whose key was checked against the pin. */
export interface Session {
  /** The server's address without a slash at its end; our token goes nowhere else. */
  readonly url: string;
  /** How connections to the server, or wherever it sends content, are made. */
  routeTo(url: string): Route;
  /** How fast content may go; one for all of this process. */
  readonly pace: Pace;
  /** How long a connection may take nothing before it is given up. */
  readonly stallMs: number;
  readonly statement: ServerStatement;
  /** The id that the server knows this machine's identity by. */
  readonly clientId: string;
  /** The enrolled key, which also signs records. */
  readonly signer: SigningKey;
  /** This machine's clock minus the server's, as it was last measured. */
  readonly clockOffsetMs: number;
  /** A control call as this identity. Gets a new token once when the server refuses the one it had. */
  call(call: Call, signal: AbortSignal): Promise<Answer>;
  /** An access token that is good for the next minute, for the data plane. */
  accessToken(signal: AbortSignal): Promise<string>;
  /** Asks the server once more who it is: its key, its limits or its clock may have changed. */
  askAgain(signal: AbortSignal): Promise<void>;
  /** Drops a token that the server has refused, so that the next one is new. */
  dropToken(token: string): void;
}

/**
 * Opens a session with the identity that this machine has enrolled at `url`; asks the server who it is, and for a
 * token only when one is needed.
 *
 * @throws ExhibitError `auth.required`, `auth.server-key-changed`, `auth.clock-wrong`, `unavailable.store`
 */
export async function openSession(
  address: string,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<Session> {
  const url = serverAddress(address);
  let kept = await loadIdentity(machine.secrets, url);
  const route = machine.network.route(url);
  const ask = async (stop: AbortSignal): Promise<KnownServer> => {
    const known = await askServer(url, kept.serverThumbprint, route, machine.clock, stop);
    kept = await keepServerKeys(machine.secrets, url, kept, known);
    return known;
  };
  const known = await ask(signal);
  const signer = await signingKey(kept.key);
  return new OpenSession(url, machine, kept.clientId, signer, known, ask);
}

class OpenSession implements Session {
  readonly url: string;
  readonly routeTo: (url: string) => Route;
  readonly pace: Pace;
  readonly stallMs: number;
  readonly clientId: string;
  readonly signer: SigningKey;
  readonly #clock: Clock;
  readonly #ask: (signal: AbortSignal) => Promise<KnownServer>;
  #known: KnownServer;
  #configuration: Configuration | undefined;
  #token: { readonly text: string; readonly until: number } | undefined;
  #asking: { readonly token: Promise<string>; readonly signal: AbortSignal } | undefined;

  constructor(
    url: string,
    { network, clock }: Pick<SessionMachine, "network" | "clock">,
    clientId: string,
    signer: SigningKey,
    known: KnownServer,
    ask: (signal: AbortSignal) => Promise<KnownServer>,
  ) {
    this.url = url;
    this.routeTo = (to) => network.route(to);
    this.pace = network.pace;
    this.stallMs = network.stallMs;
    this.clientId = clientId;
    this.signer = signer;
    this.#clock = clock;
    this.#known = known;
    this.#ask = ask;
  }

  get statement(): ServerStatement {
    return this.#known.statement;
  }

  get clockOffsetMs(): number {
    return this.#known.clockOffsetMs;
  }

  async call(call: Call, signal: AbortSignal): Promise<Answer> {
    const token = await this.accessToken(signal);
    try {
      return await this.#callWith(token, call, signal);
    } catch (error) {
      if (!(error instanceof ExhibitError) || error.code !== "auth.token-invalid") throw error;
      this.dropToken(token);
      return this.#callWith(await this.accessToken(signal), call, signal);
    }
  }

  async accessToken(signal: AbortSignal): Promise<string> {
    if (this.#token !== undefined && this.#token.until > this.#clock.now().getTime()) {
      return this.#token.text;
    }
    // Whoever comes while one is being asked for shares it, unless whoever asked gives up.
    const asking = (this.#asking ??= { token: this.#newToken(signal), signal });
    try {
      return await asking.token;
    } catch (error) {
      if (!asking.signal.aborted || signal.aborted) throw error;
    } finally {
      if (this.#asking === asking) this.#asking = undefined;
    }
    return this.accessToken(signal);
  }

  async askAgain(signal: AbortSignal): Promise<void> {
    this.#known = await this.#ask(signal);
  }

  dropToken(token: string): void {
    if (this.#token?.text === token) this.#token = undefined;
  }

  #callWith(token: string, call: Call, signal: AbortSignal): Promise<Answer> {
    const route = this.routeTo(this.url);
    return callServer(this.url, route, call, { authorization: `Bearer ${token}` }, signal);
  }

  /** Asks twice at most: a clock that was set since, or an assertion whose answer was lost, is put right by the second. */
  async #newToken(signal: AbortSignal): Promise<string> {
    try {
      return await this.#grant(signal);
    } catch (error) {
      const again =
        error instanceof ExhibitError && /^auth\.(?:clock-wrong|token-invalid)$/.test(error.code);
      if (!again) throw error;
      this.#known = await this.#ask(signal);
      return this.#grant(signal);
    }
  }

  async #grant(signal: AbortSignal): Promise<string> {
    const { statement } = this.#known;
    const route = this.routeTo(this.url);
    this.#configuration ??= await prepareGrant(
      statement,
      this.clientId,
      this.signer,
      () => new Date(this.#clock.now().getTime() - this.#known.clockOffsetMs),
      route,
      signal,
    );
    const { token, lifeSeconds } = await grantToken(this.#configuration, statement, route, signal);
    this.#token = {
      text: token,
      until: this.#clock.now().getTime() + lifeSeconds * 1000 - spareMs,
    };
    return token;
  }
}
