/** A mail to one person. */
export interface OutgoingMail {
  /** The same at every try, so that a mail which came twice can be told. */
  readonly id: string;
  readonly to: { readonly name: string; readonly address: string };
  /** Who it is from, in words; the address is the sender's own. */
  readonly fromName: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What a mail server made of a mail. `reply` is its codes or words of ours: never an address, never its own words. */
export type MailFate =
  | { readonly state: "sent" }
  /** For good: another try would end the same. */
  | { readonly state: "refused"; readonly reply: string }
  /** Not now: the server is gone, busy or wants to be asked again. */
  | { readonly state: "later"; readonly reply: string };

/** Sends mail. What was sent may still bounce later; that is not seen here. */
export interface Mail {
  /** Never rejects for what the network or the mail server does; rejects when `signal` is aborted. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<MailFate>;
}
