import { caseSchema } from "../evidence/case.ts";
import type { FileRequest } from "../evidence/ports/requests.ts";
import { checkShareEnd } from "../evidence/share.ts";
import { requestsOf } from "./abilities.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { endIn } from "./share-create.ts";

export interface RequestCreateRequest {
  readonly store?: string;
  readonly case: string;
  /** Id of the request that it is a copy of. */
  readonly template: string;
  readonly title?: string;
  readonly expiresInSeconds: number;
}

/** Asks people outside for files for a case. @throws ExhibitError `policy.unsupported`, `not-found.request`, `usage.invalid` */
export async function createRequest(
  deps: Pick<Deps, "connect" | "clock">,
  request: RequestCreateRequest,
  signal: AbortSignal,
): Promise<{ request: FileRequest }> {
  const caseRef = checked(caseSchema, request.case, "The case");
  return connected(deps, request.store, async (connection) => {
    const expiresAt = endIn(deps, connection, request.expiresInSeconds);
    checkShareEnd(expiresAt, deps.clock.now());
    const { template, title } = request;
    const wanted = { case: caseRef, template, title, expiresAt };
    return { request: await requestsOf(connection).create(wanted, signal) };
  });
}

/** The requests that were made in a store, newest first. */
export async function listRequests(
  deps: Pick<Deps, "connect">,
  { store }: { readonly store?: string },
  signal: AbortSignal,
): Promise<{ requests: readonly FileRequest[] }> {
  return connected(deps, store, async (connection) => ({
    requests: await requestsOf(connection).list(signal),
  }));
}

/** Nobody can hand anything in any more. Repeating it succeeds. @throws ExhibitError `not-found.request`, `policy.role` */
export async function closeRequest(
  deps: Pick<Deps, "connect">,
  { store, id }: { readonly store?: string; readonly id: string },
  signal: AbortSignal,
): Promise<{ request: FileRequest }> {
  return connected(deps, store, async (connection) => ({
    request: await requestsOf(connection).close(id, signal),
  }));
}
