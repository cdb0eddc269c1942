/**
 * The short life in which the keychain is spoken to. A Secret Service that never answers hangs its caller beyond
 * `process.exit`, so the parent starts this file as a program of its own and kills it after some seconds. The request
 * comes on stdin and the answer goes to stdout, both JSON: a secret never stands among the arguments.
 */
import { text } from "node:stream/consumers";
import { secretsInParts, TornSecret, type KeychainEntries } from "./secret-parts.ts";

/** What the child is asked. */
export interface KeychainRequest {
  readonly action: "get" | "set" | "delete";
  readonly service: string;
  readonly account: string;
  readonly secret?: string;
  /** Bytes of UTF-8 that an entry takes, where that is fewer than a secret may have. */
  readonly entryBytes?: number;
}

/** What the child says: the secret where one was asked for and is there, or why it could not. */
export interface KeychainAnswer {
  readonly secret?: string;
  readonly failure?: string;
  /** What is kept there is not whole. */
  readonly isTorn?: boolean;
}

async function entriesOf(service: string): Promise<KeychainEntries> {
  const { default: keytar } = await import("keytar");
  return {
    get: async (account) => (await keytar.getPassword(service, account)) ?? undefined,
    set: (account, secret) => keytar.setPassword(service, account, secret),
    delete: async (account) => {
      await keytar.deletePassword(service, account);
    },
    accounts: async () => (await keytar.findCredentials(service)).map(({ account }) => account),
  };
}

async function answer(request: KeychainRequest): Promise<KeychainAnswer> {
  try {
    const { account, entryBytes } = request;
    const entries = await entriesOf(request.service);
    const secrets = entryBytes === undefined ? entries : secretsInParts(entries, entryBytes);
    if (request.action === "get") {
      const secret = await secrets.get(account);
      return secret === undefined ? {} : { secret };
    }
    if (request.action === "set") {
      await secrets.set(account, request.secret ?? "");
    } else {
      await secrets.delete(account);
    }
    return {};
  } catch (error) {
    if (error instanceof TornSecret) return { isTorn: true };
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

const request = JSON.parse(await text(process.stdin)) as KeychainRequest;
process.stdout.write(JSON.stringify(await answer(request)));
