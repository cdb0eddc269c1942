import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { Pace } from "../../evidence/ports/pace.ts";
import type { Secrets } from "../../evidence/ports/secrets.ts";
import { signingKey, type SigningKey } from "../../evidence/seal.ts";
import { serverAddress } from "../../evidence/web-address.ts";
import type { ServerStatement, StatedProvider } from "../../protocol/server-statement.ts";
import type { Network, Route } from "../network.ts";
import type { Tokens } from "../sign-in/shared-token.ts";
import type { InTurn } from "../sign-in/trade.ts";
import { askServer, type KnownServer } from "./ask-server.ts";
import { callServer, type Answer, type Call } from "./http.ts";
import { keepServerKeys, loadIdentity, type KeptIdentity } from "./kept-identity.ts";
import { ownTokens } from "./own-tokens.ts";
import { officerTokens } from "./provider/officer-tokens.ts";

/** What a session needs of this machine. */
export interface SessionMachine {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly network: Network;
  /**
   * Does `work` while no other process of this machine does work of the same name.
   *
   * @throws ExhibitError `conflict.locked` where another one has been at it for a minute; the signal's reason
   */
  readonly inTurn: InTurn;
}

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
  /** The enrolled key, or this machine's key that is registered for an officer; it signs records. */
  readonly signer: SigningKey;
  /** The force's provider, where an officer signed in by it. */
  readonly provider?: StatedProvider | undefined;
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
  return new OpenSession(url, machine, kept, await signingKey(kept.key), known, ask);
}

class OpenSession implements Session {
  readonly url: string;
  readonly routeTo: (url: string) => Route;
  readonly pace: Pace;
  readonly stallMs: number;
  readonly clientId: string;
  readonly signer: SigningKey;
  readonly provider: StatedProvider | undefined;
  readonly #tokens: Tokens;
  readonly #ask: (signal: AbortSignal) => Promise<KnownServer>;
  #known: KnownServer;
  #refused: string | undefined;

  constructor(
    url: string,
    machine: SessionMachine,
    kept: KeptIdentity,
    signer: SigningKey,
    known: KnownServer,
    ask: (signal: AbortSignal) => Promise<KnownServer>,
  ) {
    const { network, clock } = machine;
    this.url = url;
    this.routeTo = (to) => network.route(to);
    this.pace = network.pace;
    this.stallMs = network.stallMs;
    this.clientId = kept.clientId;
    this.signer = signer;
    this.provider = kept.by === "provider" ? kept.provider : undefined;
    this.#known = known;
    this.#ask = ask;
    this.#tokens =
      kept.by === "provider"
        ? officerTokens(url, kept.provider, machine)
        : ownTokens({
            clientId: kept.clientId,
            key: signer,
            clock,
            route: network.route(url),
            known: () => this.#known,
            askAgain: async (signal) => (this.#known = await ask(signal)),
          });
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

  accessToken(signal: AbortSignal): Promise<string> {
    return this.#tokens.token(signal, this.#refused);
  }

  async askAgain(signal: AbortSignal): Promise<void> {
    this.#known = await this.#ask(signal);
  }

  dropToken(token: string): void {
    this.#refused = token;
  }

  #callWith(token: string, call: Call, signal: AbortSignal): Promise<Answer> {
    const route = this.routeTo(this.url);
    return callServer(this.url, route, call, { authorization: `Bearer ${token}` }, signal);
  }
}
