import { request } from "undici";

/** What a server answered a recipient's browser. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
}

/** A recipient with a plain browser: keeps the session's cookie, follows nothing by itself. */
export class Recipient {
  readonly link: string;
  readonly #agent: string;
  cookie: string | undefined;

  constructor(link: string, agent = "Mozilla/5.0 (test)") {
    this.link = link;
    this.#agent = agent;
  }

  /** Gets what lies `below` the link; the page itself for "". */
  get(below = "", headers: Record<string, string> = {}): Promise<Seen> {
    return this.#ask("GET", below, headers);
  }

  head(): Promise<Seen> {
    return this.#ask("HEAD", "", {});
  }

  /** Sends a form to what lies `below` the link. */
  post(fields: Record<string, string>, below = "", headers = {}): Promise<Seen> {
    const form = { "content-type": "application/x-www-form-urlencoded", ...headers };
    return this.#ask("POST", below, form, new URLSearchParams(fields).toString());
  }

  /** Gives the code, and keeps the cookie when there is one. */
  async give(code: string): Promise<Seen> {
    const seen = await this.post({ code });
    const [cookie] = [seen.headers["set-cookie"] ?? []].flat();
    if (cookie !== undefined) this.cookie = cookie.split(";")[0];
    return seen;
  }

  async #ask(
    method: "GET" | "HEAD" | "POST",
    below: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Seen> {
    const answer = await request(below === "" ? this.link : `${this.link}/${below}`, {
      method,
      headers: {
        "user-agent": this.#agent,
        ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    return {
      status: answer.statusCode,
      headers: answer.headers,
      bytes,
      text: bytes.toString("utf8"),
    };
  }
}
