/**
 * The short life in which the keychain is spoken to. A Secret Service that never answers hangs its caller beyond
 * `process.exit`, so the parent starts this file as a program of its own and kills it after some seconds. The request
 * comes on stdin and the answer goes to stdout, both JSON: a secret never stands among the arguments.
 */
import { text } from "node:stream/consumers";

interface KeychainRequest {
  readonly action: "get" | "set" | "delete";
  readonly service: string;
  readonly account: string;
  readonly secret?: string;
}

/** What the child says: the secret where one was asked for and is there, or why it could not. */
export interface KeychainAnswer {
  readonly secret?: string;
  readonly failure?: string;
}

async function answer(request: KeychainRequest): Promise<KeychainAnswer> {
  try {
    const { default: keytar } = await import("keytar");
    const { service, account } = request;
    if (request.action === "get") {
      const secret = await keytar.getPassword(service, account);
      return secret === null ? {} : { secret };
    }
    if (request.action === "set") {
      await keytar.setPassword(service, account, request.secret ?? "");
    } else {
      await keytar.deletePassword(service, account);
    }
    return {};
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

const request = JSON.parse(await text(process.stdin)) as KeychainRequest;
process.stdout.write(JSON.stringify(await answer(request)));
