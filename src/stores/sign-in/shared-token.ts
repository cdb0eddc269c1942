/** An access token, and its end by this machine's clock, in ms since 1970. */
export interface Token {
  readonly accessToken: string;
  readonly until: number;
}

/** Where the access tokens of one login come from. */
export interface Tokens {
  /**
   * An access token that is good now. `refused` is one that was refused just now: another one is got then, once for all who ask.
   *
   * @throws ExhibitError `auth.required` where nobody is signed in; `auth.*`, `unavailable.*`
   */
  token(signal: AbortSignal, refused?: string): Promise<string>;
}

/** Says whether a token is still good: not refused, and not near its end. */
export type IsGood = (token: Token) => boolean;

/**
 * The tokens that `get` gives, kept for as long as they are good. Whoever comes while one is being got shares it, unless whoever
 * began gives up. `isFresh` is whether the clock lets one be used.
 */
export class SharedToken implements Tokens {
  readonly #get: (isGood: IsGood, signal: AbortSignal) => Promise<Token>;
  readonly #isFresh: IsGood;
  #held: Token | undefined;
  #refused: string | undefined;
  #asking: { readonly token: Promise<Token>; readonly signal: AbortSignal } | undefined;

  constructor(
    get: (isGood: IsGood, signal: AbortSignal) => Promise<Token>,
    isFresh: (token: Token) => boolean,
  ) {
    this.#get = get;
    this.#isFresh = isFresh;
  }

  async token(signal: AbortSignal, refused?: string): Promise<string> {
    signal.throwIfAborted();
    if (refused !== undefined) this.#refused = refused;
    if (this.#held !== undefined && this.#isGood(this.#held)) return this.#held.accessToken;
    const { accessToken } = await this.#shared(signal);
    // Whoever began asking did not know yet that this one is refused.
    return accessToken === refused ? (await this.#shared(signal)).accessToken : accessToken;
  }

  async #shared(signal: AbortSignal): Promise<Token> {
    const asking = (this.#asking ??= { token: this.#new(signal), signal });
    try {
      return await asking.token;
    } catch (error) {
      if (!asking.signal.aborted || signal.aborted) throw error;
    } finally {
      if (this.#asking === asking) this.#asking = undefined;
    }
    return this.#shared(signal);
  }

  async #new(signal: AbortSignal): Promise<Token> {
    this.#held = await this.#get((token) => this.#isGood(token), signal);
    return this.#held;
  }

  #isGood(token: Token): boolean {
    return token.accessToken !== this.#refused && this.#isFresh(token);
  }
}
