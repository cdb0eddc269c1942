/** Where access tokens of one Box login come from. */
export interface BoxTokens {
  /**
   * An access token that is good now. `refused` is one that Box has just refused: another one is got then, once for all who ask.
   *
   * @throws ExhibitError `auth.required` where nobody is signed in; `auth.*`, `unavailable.*`
   */
  token(signal: AbortSignal, refused?: string): Promise<string>;
}
