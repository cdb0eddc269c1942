import { z } from "zod";
import type { BoxApi } from "../api.ts";

/** Who is signed in at Box. */
export interface BoxAccount {
  readonly id: string;
  /** An e-mail address. */
  readonly login: string;
  readonly isAdministrator: boolean;
  /** Undefined for accounts that belong to none. */
  readonly enterpriseId: string | undefined;
  /** Where the account sees Box in a browser, without a slash at its end. */
  readonly webUrl: string;
}

const usualWebUrl = "https://app.box.com";
const administrators = ["admin", "coadmin"];

const meSchema = z.object({
  id: z.string(),
  login: z.string(),
  role: z.string().nullish(),
  enterprise: z.object({ id: z.string() }).nullish(),
  hostname: z.string().nullish(),
});

/** Asks Box once who is signed in. */
export class Account {
  readonly #api: BoxApi;
  #asked: Promise<BoxAccount> | undefined;

  constructor(api: BoxApi) {
    this.#api = api;
  }

  async get(signal: AbortSignal): Promise<BoxAccount> {
    const asking = (this.#asked ??= this.#ask(signal));
    asking.catch(() => {
      if (this.#asked === asking) this.#asked = undefined;
    });
    return asking;
  }

  async #ask(signal: AbortSignal): Promise<BoxAccount> {
    const fields = "id,login,role,enterprise,hostname";
    const { id, login, role, enterprise, hostname } = await this.#api.get(
      meSchema,
      { method: "GET", to: "/2.0/users/me", query: { fields } },
      signal,
    );
    return {
      id,
      login,
      isAdministrator: administrators.includes(role ?? ""),
      enterpriseId: enterprise?.id,
      webUrl: webUrlOf(hostname),
    };
  }
}

/** The page of a folder. */
export function folderPage({ webUrl }: BoxAccount, folderId: string): string {
  return `${webUrl}/folder/${folderId}`;
}

function webUrlOf(hostname: string | null | undefined): string {
  if (hostname === null || hostname === undefined || !/^https?:\/\//.test(hostname)) {
    return usualWebUrl;
  }
  return URL.canParse(hostname) ? new URL(hostname).origin : usualWebUrl;
}
