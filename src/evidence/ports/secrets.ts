/** Keeps this person's or machine's keys: the OS keychain, or a file where it was asked for by name. */
export interface Secrets {
  /** Where it keeps them, in words: "the keychain of this computer", "the key file PATH". */
  readonly place: string;
  get(name: string): Promise<string | undefined>;
  /** @throws `auth.no-keychain` */
  set(name: string, secret: string): Promise<void>;
  delete(name: string): Promise<void>;
}
