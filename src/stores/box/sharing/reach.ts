import type { LinkReach } from "../../../evidence/share.ts";
import type { BoxAccount } from "../enterprise/account.ts";

/** Whether an address is of the same organisation as the account, as far as addresses tell. */
export function isColleague(email: string, { login }: Pick<BoxAccount, "login">): boolean {
  const domain = domainOf(login);
  return domain !== "" && domain === domainOf(email);
}

/** The narrowest link that reaches somebody: colleagues are invited by name, others may have no account to sign in with. */
export function reachFor(email: string, account: Pick<BoxAccount, "login">): LinkReach {
  return isColleague(email, account) ? "collaborators" : "open";
}

/** Whether a link that opens so far, of a share that was made for `wanted`, still opens for its recipient. */
export function reaches(
  access: LinkReach,
  wanted: LinkReach,
  email: string,
  account: Pick<BoxAccount, "login">,
): boolean {
  if (access === "collaborators") return wanted === "collaborators";
  if (access === "company") return wanted === "company" || isColleague(email, account);
  return true;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}
