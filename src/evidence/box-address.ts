import { addressParameters } from "./address-parameters.ts";
import { ExhibitError } from "./errors.ts";
import { serverAddress } from "./web-address.ts";

/** Where a store in Box is, and which of Box's hosts are spoken to. Plain data without a secret. */
export interface BoxAddress {
  /** The folder that holds the cases; `0` is the account's own root. */
  readonly folderId: string;
  /** Origin of the API and of tokens. */
  readonly api: string;
  /** Origin that content is uploaded to, as far as Box does not name another one. */
  readonly upload: string;
  /** Origin of the page where people sign in. */
  readonly authorize: string;
  /** User that everything is done as; undefined for the account itself. */
  readonly asUser: string | undefined;
  /** Parts in flight at once to a host of a Box Zone. */
  readonly zoneParts: number;
}

const names = ["api", "upload", "authorize", "as-user", "zone-parts"] as const;
type Name = (typeof names)[number];

const usual = {
  api: "https://api.box.com",
  upload: "https://upload.box.com",
  authorize: "https://account.box.com",
} as const;
const idPattern = /^\d{1,20}$/;

/**
 * Reads `box:FOLDER_ID?api=URL&upload=URL&authorize=URL&as-user=ID&zone-parts=N`; the hosts are Box's usual ones where they are left
 * out. Verified enterprises, zones and government have others.
 *
 * @throws ExhibitError `usage.invalid`; `policy.insecure-address` for plain http to another machine
 */
export function boxAddress(text: string): BoxAddress {
  const [, folderId = "", search = ""] = /^box:([^?#]*)(\?[^#]*)?$/i.exec(text) ?? [];
  if (!idPattern.test(folderId)) throw invalid(text, `"${folderId}" is not the id of a folder.`);
  const given = addressParameters(names, search, (why) => invalid(text, why));
  const asUser = given["as-user"];
  if (asUser !== undefined && !idPattern.test(asUser)) {
    throw invalid(text, `"${asUser}" is not the id of a user.`);
  }
  const zoneParts = given["zone-parts"] ?? "1";
  if (!/^[1-8]$/.test(zoneParts)) throw invalid(text, "zone-parts is a number from 1 to 8.");
  return {
    folderId,
    api: originOf(text, given.api ?? usual.api),
    upload: originOf(text, given.upload ?? usual.upload),
    authorize: originOf(text, given.authorize ?? usual.authorize),
    asUser,
    zoneParts: Number(zoneParts),
  };
}

/** Whether a store's URL is one of a store in Box. */
export function isBoxAddress(url: string): boolean {
  return /^box:/i.test(url);
}

/** The one form that an address is kept in: two ways to write it are the same store. */
export function boxAddressText(address: BoxAddress): string {
  const { folderId, asUser, zoneParts } = address;
  const given: Record<Name, string | undefined> = {
    api: address.api === usual.api ? undefined : address.api,
    upload: address.upload === usual.upload ? undefined : address.upload,
    authorize: address.authorize === usual.authorize ? undefined : address.authorize,
    "as-user": asUser,
    "zone-parts": zoneParts === 1 ? undefined : String(zoneParts),
  };
  const query = names.flatMap((name) =>
    given[name] === undefined ? [] : [`${name}=${given[name]}`],
  );
  return `box:${folderId}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

function originOf(text: string, given: string): string {
  const origin = serverAddress(given);
  if (URL.canParse(origin) && new URL(origin).pathname === "/") return origin;
  throw invalid(text, `"${given}" is not the origin of a Box host.`);
}

function invalid(text: string, why: string): ExhibitError {
  return new ExhibitError(
    "usage.invalid",
    `"${text.replace(/\?.*/, "")}" is not the address of a store in Box. ${why}`,
    {
      hint: "Write box:FOLDER_ID; the id is the number at the end of the folder's address in the browser.",
    },
  );
}
