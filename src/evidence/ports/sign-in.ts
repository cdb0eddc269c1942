/** A store that is signed in to: as it is called here, and its URL. */
export interface SignInPlace {
  readonly name: string;
  readonly url: string;
}

/** The application that signs in, as the store's administrator has set it up. */
export interface Application {
  readonly clientId: string;
  /** A secret. */
  readonly clientSecret: string;
}

/** Whom an unattended job acts as. */
export interface Subject {
  readonly type: "enterprise" | "user";
  readonly id: string;
}

/** How someone, or an unattended job, proves who it is. */
export type Proving =
  | {
      readonly by: "page";
      readonly application: Application;
      /** Called once with the address of the page where the person signs in. */
      readonly showPage: (url: string) => void;
    }
  | {
      readonly by: "key";
      /** What the file holds that the developer console gave: a secret. */
      readonly settings: string;
      /** User to act as; left out, the application's own account. */
      readonly userId: string | undefined;
    }
  | { readonly by: "credentials"; readonly application: Application; readonly subject: Subject };

/** An account at a store. Its login may be shown to the person at the terminal, and is kept nowhere. */
export interface Account {
  readonly id: string;
  readonly login: string;
}

/** As whom a store is spoken to. */
export interface SignedIn {
  readonly account: Account;
  /** The user that everything is done as, where the store's address names one. */
  readonly actsAs: Account | undefined;
}

/**
 * What became of a login: there was none; it is over at the far end and forgotten here; or it is only forgotten here, because the far end
 * refused to end it: whoever has a copy of its tokens can go on using them.
 */
export type LoginEnd = "none" | "ended" | "forgotten";

/** Signs this machine in at stores that have accounts and sign-in pages of their own. */
export interface SignIn {
  /**
   * Proves who it is, and keeps what later commands need under the store's URL; asks no one afterwards.
   *
   * @throws `auth.app-refused`, `auth.sign-in-denied`, `auth.sign-in-late`, `auth.clock-wrong`, `auth.no-keychain`,
   * `usage.invalid`, `unavailable.*`
   */
  signIn(place: SignInPlace, proving: Proving, signal: AbortSignal): Promise<void>;
  /** Asks the store. @throws `auth.required`, `auth.login-expired`, `policy.not-permitted`, `unavailable.*` */
  signedIn(place: SignInPlace, signal: AbortSignal): Promise<SignedIn>;
  /** Ends the login at the store, then forgets it here. One that the store does not take any more counts as ended. @throws `unavailable.*` */
  signOut(place: SignInPlace, signal: AbortSignal): Promise<LoginEnd>;
}
