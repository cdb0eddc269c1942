import { ExhibitError } from "../evidence/errors.ts";
import type { Accounts } from "../evidence/ports/accounts.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Requests } from "../evidence/ports/requests.ts";
import type { Sharing } from "../evidence/ports/sharing.ts";

/** The store's own sharing. @throws ExhibitError `policy.unsupported` where it has none */
export function sharingOf({ name, sharing }: Connection): Sharing {
  if (sharing !== undefined) return sharing;
  throw new ExhibitError("policy.unsupported", `The store ${name} has no share links of its own.`, {
    hint: "Share from an exhibit server: name it with --store.",
  });
}

/** The store's own accounts. @throws ExhibitError `policy.unsupported` where it has none */
export function accountsOf({ name, accounts }: Connection): Accounts {
  if (accounts !== undefined) return accounts;
  throw new ExhibitError("policy.unsupported", `The store ${name} has no accounts of its own.`, {
    hint: "Only an exhibit server has: name it with --store.",
  });
}

/** The store's own requests for files. @throws ExhibitError `policy.unsupported` where it has none */
export function requestsOf({ name, requests }: Connection): Requests {
  if (requests !== undefined) return requests;
  throw new ExhibitError("policy.unsupported", `The store ${name} cannot ask people for files.`, {
    hint: "Only a store in Box can: name it with --store. On an exhibit server, invite partners: exhibit invite create.",
  });
}
