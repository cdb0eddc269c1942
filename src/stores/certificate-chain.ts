import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { rootCertificates, TLSSocket, type DetailedPeerCertificate } from "node:tls";
import type { Route } from "./network.ts";

/** Who vouches for the server at an address. */
export interface CertificateChain {
  /** What the certificates call their issuers, from the server's own upwards. */
  readonly issuers: readonly string[];
  /** The last one is an authority that Node itself trusts: not one of a force, nor of a proxy that opens connections. */
  readonly isPublic: boolean;
}

const limitMs = 10_000;
let publicRoots: ReadonlySet<string> | undefined;

/**
 * The certificates that are presented at an https address, as this machine's proxy and `--ca-file` have it; undefined where there is
 * no https, or no connection that this machine trusts.
 */
export async function certificateChain(
  url: string,
  route: Route,
  signal: AbortSignal,
): Promise<CertificateChain | undefined> {
  if (!url.startsWith("https:")) return undefined;
  const certificate = await new Promise<DetailedPeerCertificate | undefined>((resolve) => {
    const asked = request(url, {
      method: "HEAD",
      agent: route.agent.https,
      signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    });
    asked.on("response", (response) => {
      const { socket } = response;
      resolve(socket instanceof TLSSocket ? socket.getPeerCertificate(true) : undefined);
      response.resume();
    });
    asked.on("error", () => {
      resolve(undefined);
    });
    asked.end();
  });
  if (certificate === undefined || !("raw" in certificate)) return undefined;
  const issuers: string[] = [];
  let last = certificate;
  for (;;) {
    issuers.push(nameOf(last));
    const { issuerCertificate: next } = last as Partial<DetailedPeerCertificate>;
    if (next === undefined || next.fingerprint256 === last.fingerprint256) break;
    last = next;
  }
  publicRoots ??= new Set(rootCertificates.map((pem) => new X509Certificate(pem).fingerprint256));
  return { issuers, isPublic: publicRoots.has(last.fingerprint256) };
}

function nameOf({ issuer }: DetailedPeerCertificate): string {
  const { O: organisation, CN: name } = issuer as Partial<Record<string, string>>;
  return [organisation, name].filter((part) => part !== undefined).join(", ");
}
