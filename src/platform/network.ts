import { Agent as HttpAgent, type ClientRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIPv6, type Socket } from "node:net";
import { rootCertificates } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { Agent, ProxyAgent, type Dispatcher } from "undici";
import { ExhibitError } from "../evidence/errors.ts";
import type { Pace } from "../evidence/ports/pace.ts";
import { isLoopback } from "../evidence/web-address.ts";

export interface NetworkSettings {
  /** What `HTTPS_PROXY` holds. */
  readonly proxyUrl: string | undefined;
  /** What `NO_PROXY` holds: names and all below them, `.suffixes`, addresses, `host:port` or `*`, with commas or blanks between. */
  readonly noProxy: string | undefined;
  /** Certificates in PEM that are trusted beside the usual ones. */
  readonly caPem: string | undefined;
  readonly pace: Pace;
  /** How long a connection may take nothing before it is given up; left out, a minute. */
  readonly stallMs?: number;
}

interface Route {
  readonly dispatcher: Dispatcher;
  readonly agent: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

/** How every connection of this machine is made: one place for proxy and certificates. */
export interface MachineNetwork {
  route(url: string): Route;
  /** Whether connections to `url` go through a proxy: then it, and not this machine, finds the address. */
  isProxied(url: string): boolean;
  /** The proxy that a connection goes through, as it was given, password and all; undefined for none. */
  proxyFor(url: string): string | undefined;
  readonly pace: Pace;
  readonly stallMs: number;
  close(): Promise<void>;
}

/** Connections are kept open between requests; `close` ends them. Loopback addresses never go through a proxy. */
export function openNetwork(settings: NetworkSettings): MachineNetwork {
  const trust = settings.caPem === undefined ? {} : { ca: [...rootCertificates, settings.caPem] };
  const http = new HttpAgent({ keepAlive: true });
  let direct: Route | undefined;
  let proxied: Route | undefined;

  function openDirect(): Route {
    return {
      dispatcher: new Agent({ connect: trust }),
      agent: { http, https: new HttpsAgent({ keepAlive: true, ...trust }) },
    };
  }

  function openProxied(proxyUrl: string): Route {
    requireProxy(proxyUrl);
    // Not an https.Agent by descent, but all that got asks of one.
    const tunnel = { https: new Tunnel(proxyUrl, trust) };
    return {
      dispatcher: new ProxyAgent({ uri: proxyUrl, requestTls: trust, proxyTls: trust }),
      agent: { http, ...tunnel },
    };
  }

  function proxyFor(url: string): string | undefined {
    const { proxyUrl, noProxy } = settings;
    if (proxyUrl === undefined || proxyUrl === "") return undefined;
    return bypasses(new URL(url), noProxy) ? undefined : proxyUrl;
  }

  return {
    proxyFor,
    pace: settings.pace,
    stallMs: settings.stallMs ?? 60_000,
    isProxied: (url) => proxyFor(url) !== undefined,
    route(url) {
      const proxyUrl = proxyFor(url);
      if (proxyUrl === undefined) return (direct ??= openDirect());
      return (proxied ??= openProxied(proxyUrl));
    },
    async close() {
      http.destroy();
      for (const route of [direct, proxied]) {
        route?.agent.https.destroy();
        await route?.dispatcher.close();
      }
    },
  };
}

/** @throws ExhibitError `usage.invalid`, without the address, which may hold a password */
function requireProxy(proxyUrl: string): void {
  if (URL.canParse(proxyUrl) && /^https?:$/.test(new URL(proxyUrl).protocol)) return;
  throw new ExhibitError("usage.invalid", "HTTPS_PROXY does not hold a proxy's address.", {
    hint: "Write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT. Other kinds of proxy, such as SOCKS, are not known.",
  });
}

function bypasses(url: URL, noProxy: string | undefined): boolean {
  const host = bare(url.hostname);
  if (isLoopback(host)) return true;
  return (noProxy ?? "")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      const { name, port } = hostAndPort(entry.replace(/^\*?\.(?=.)/, ""));
      if (port !== undefined && port !== (url.port || defaultPorts[url.protocol])) return false;
      return name === "*" || host === name || host.endsWith(`.${name}`);
    });
}

const defaultPorts: Readonly<Record<string, string>> = { "https:": "443", "http:": "80" };

/** A name or an address without the brackets of IPv6, and without the dot that a whole name may end with. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

/** `host`, `host:port`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:port`. */
function hostAndPort(entry: string): { name: string; port: string | undefined } {
  if (isIPv6(entry)) return { name: inShort(entry), port: undefined };
  const [, name = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const host = bare(name);
  return { name: isIPv6(host) ? inShort(host) : host, port };
}

/** An address of IPv6 in the one form that URLs have. */
function inShort(address: string): string {
  return bare(new URL(`http://[${address}]`).hostname);
}

type AgentConnectOpts = Parameters<HttpsProxyAgent<string>["connect"]>[1];

/** Trusts the same certificates behind the proxy as on the way to it, which the library does not by itself. */
class Tunnel extends HttpsProxyAgent<string> {
  readonly #trust: { ca?: string[] };

  constructor(proxyUrl: string, trust: { ca?: string[] }) {
    super(proxyUrl, { keepAlive: true, ...trust });
    this.#trust = trust;
  }

  override connect(request: ClientRequest, options: AgentConnectOpts): Promise<Socket> {
    return super.connect(request, { ...options, ...this.#trust });
  }
}
