import { once } from "node:events";
import { lookup as lookupName, type LookupAddress } from "node:dns";
import { Agent as HttpAgent, request as requestPlain, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestSecure } from "node:https";
import { isIP, type LookupFunction, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { ExhibitError } from "../../evidence/errors.ts";
import { requireReachable, type AllowedHost } from "./allowed-hosts.ts";

/** How hosts are asked: by which certificates, and through which proxy. */
export interface HostRoutes {
  /** Trusted beside the usual ones, in PEM; undefined for none. */
  readonly ca: readonly string[] | undefined;
  /** Where a link goes through a proxy; undefined where it goes straight. */
  proxyFor(link: URL): HttpsAgent | undefined;
  readonly userAgent: string;
  /** How long a connection may bring nothing. */
  readonly stallMs: number;
  /** Finds the addresses of a name; left out, by the system. */
  readonly lookup?: typeof lookupName;
}

/** An answer's head, and its body on the way. */
export interface Asked {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: AsyncIterable<Buffer>;
  /** Undefined through a proxy. */
  readonly address: string | undefined;
  readonly certificateSha256: string | undefined;
  /** Once the body has ended: settles when it is clear that nothing comes behind it. @throws `integrity.mismatch` */
  requireEnd(): Promise<void>;
  drop(): void;
}

/** So long a host may take to send what it should not. */
const afterEndMs = 250;

/**
 * Asks for a link once. Its host's address is looked at when the connection is made, by the very answer that the connection is made
 * with, so that a name that changes its address in between gains nothing.
 *
 * @throws ExhibitError `policy.insecure-address`, `unavailable.source`
 */
export async function askHost(
  link: URL,
  found: readonly AllowedHost[],
  headers: Readonly<Record<string, string>>,
  routes: HostRoutes,
  signal: AbortSignal,
): Promise<Asked> {
  const literal = link.hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0) requireReachable(link.host, literal, found);
  const proxy = routes.proxyFor(link);
  const isSecure = link.protocol === "https:";
  const agent = proxy ?? new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true });
  const options = {
    agent,
    signal,
    headers: {
      ...headers,
      "user-agent": routes.userAgent,
      accept: "*/*",
      "accept-encoding": "identity",
    },
    timeout: routes.stallMs,
    ...(proxy === undefined
      ? { lookup: guarded(link.host, found, routes.lookup ?? lookupName) }
      : {}),
    ...(routes.ca === undefined ? {} : { ca: [...routes.ca] }),
  };
  const request = isSecure ? requestSecure(link, options) : requestPlain(link, options);
  let late: Error | undefined;
  request.on("error", (error) => {
    late = error;
  });
  request.on("timeout", () => {
    request.destroy(new Error("It sent nothing for too long."));
  });
  request.end();
  try {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const { socket } = response;
    const facts = proxy === undefined ? connectionFacts(socket) : undefined;
    if (facts?.address !== undefined) requireReachable(link.host, facts.address, found);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: inWords(response, link, signal),
      address: facts?.address,
      certificateSha256: facts?.certificateSha256,
      async requireEnd() {
        let extra = 0;
        socket.on("data", (bytes: Buffer) => (extra += bytes.length));
        const quiet = AbortSignal.timeout(afterEndMs);
        if (!socket.destroyed)
          await once(socket, "close", { signal: quiet }).catch(() => undefined);
        if (extra > 0 || codeOf(late).startsWith("HPE_")) throw longer(link);
      },
      drop() {
        request.destroy();
        if (proxy === undefined) agent.destroy();
      },
    };
  } catch (error) {
    request.destroy();
    signal.throwIfAborted();
    throw failure(error, link);
  }
}

function guarded(
  host: string,
  found: readonly AllowedHost[],
  lookup: typeof lookupName,
): LookupFunction {
  return (name, options, done) => {
    lookup(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      try {
        if (error !== null) throw error;
        // One that must not be reached spoils them all: an honest host has none.
        for (const { address } of addresses) requireReachable(host, address, found);
        const [first] = addresses;
        if (first === undefined) throw new Error("There is no such host.");
        if (options.all === true) done(null, addresses);
        else done(null, first.address, first.family);
      } catch (refusal) {
        done(refusal as NodeJS.ErrnoException, []);
      }
    });
  };
}

function connectionFacts(socket: Socket): { address?: string; certificateSha256?: string } {
  const { remoteAddress: address } = socket;
  const peer = "getPeerX509Certificate" in socket ? (socket as TLSSocket) : undefined;
  const print = peer?.getPeerX509Certificate()?.fingerprint256;
  return {
    ...(address === undefined ? {} : { address }),
    ...(print === undefined ? {} : { certificateSha256: print.replaceAll(":", "").toLowerCase() }),
  };
}

async function* inWords(
  response: IncomingMessage,
  link: URL,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    signal.throwIfAborted();
    throw failure(error, link);
  }
}

const certificateTrouble =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS_CERT)/;

function failure(error: unknown, { host }: URL): ExhibitError {
  if (error instanceof ExhibitError) return error;
  const code = codeOf(error);
  if (certificateTrouble.test(code)) {
    return new ExhibitError(
      "policy.insecure-address",
      `The certificate of ${host} is not one that this computer trusts (${code}).`,
      {
        hint: "If the partner has its own certificates, name their file with --ca-file. Otherwise do not go on.",
        cause: error,
      },
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new ExhibitError("unavailable.source", `This computer finds no address for ${host}.`, {
      hint: "Check the link for a typing mistake, and this computer's network; then try again.",
      cause: error,
    });
  }
  const how = code === "" ? "" : ` (${code})`;
  return new ExhibitError("unavailable.source", `${host} did not answer to the end${how}.`, {
    hint: "Try again later: what has arrived is kept.",
    cause: error,
  });
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : "";
}

function longer({ host }: URL): ExhibitError {
  return new ExhibitError("integrity.mismatch", `${host} sent more bytes than it had announced.`, {
    hint: "Nothing was kept. Ask the partner to look at their server, or for the file by another way.",
  });
}
