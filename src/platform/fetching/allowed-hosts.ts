import type { BlockList } from "node:net";
import { ExhibitError } from "../../evidence/errors.ts";
import { isLoopback } from "../../evidence/web-address.ts";
import { networkOf, whyRefused, liesIn } from "./addresses.ts";

/** A host that links may lead to, as it was written. */
export interface AllowedHost {
  /** In small letters; for `*.example.org`, what comes behind the asterisk. */
  readonly name: string;
  readonly isSuffix: boolean;
  readonly port: string | undefined;
  /** A network in which its address may lie though it is not one of the open Internet. */
  readonly network: BlockList | undefined;
}

const entry =
  /^(\*\.)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?:=(\S+))?$/;

/**
 * Reads a list of hosts, with commas or blanks between: `HOST`, `*.DOMAIN` (what lies below it, not itself), each with `:PORT`
 * where that is not 443, and with `=CIDR` where it has an address of a closed network.
 *
 * @throws ExhibitError `usage.invalid`, naming `origin`
 */
export function allowedHosts(list: string, origin: string): readonly AllowedHost[] {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((one) => one !== "")
    .map((one) => {
      const [, star, name, port, cidr] = entry.exec(one) ?? [];
      const network = cidr === undefined ? undefined : networkOf(cidr);
      const isBroad = star !== undefined && !(name ?? "").includes(".");
      if (name === undefined || isBroad || (cidr !== undefined && network === undefined)) {
        throw new ExhibitError("usage.invalid", `${origin}: "${one}" is not a host.`, {
          hint: "Write media.council.gov.uk, *.council.gov.uk, host:8443, or host=10.20.0.0/16 for one in a closed network.",
        });
      }
      return { name, isSuffix: star !== undefined, port, network };
    });
}

/** What of the list a link fits; none where it leads to a host that is not allowed. */
export function entriesFor(link: URL, hosts: readonly AllowedHost[]): readonly AllowedHost[] {
  const host = link.hostname.toLowerCase().replace(/\.$/, "");
  return hosts.filter(({ name, isSuffix, port }) => {
    if ((port ?? "443") !== portOf(link)) return false;
    return isSuffix ? host.endsWith(`.${name}`) : host === name;
  });
}

function portOf({ port, protocol }: URL): string {
  return port === "" ? (protocol === "http:" ? "80" : "443") : port;
}

/**
 * Whether a link may be asked at all. Plain http is for this very computer only, where it was named with its port.
 *
 * @throws ExhibitError `policy.not-permitted`, `policy.insecure-address`
 */
export function requireAllowed(link: URL, hosts: readonly AllowedHost[]): readonly AllowedHost[] {
  const found = entriesFor(link, hosts);
  if (found.length === 0) {
    throw new ExhibitError(
      "policy.not-permitted",
      `${link.host} is not a host that links are fetched from.`,
      {
        hint: `If it is the partner's own, allow it: --allow-host ${link.host}, EXHIBIT_FETCH_HOSTS, or "fetchHosts" in the configuration file.`,
        facts: { host: link.host },
      },
    );
  }
  const isPlain = link.protocol === "http:";
  const isOwn = isLoopback(link.hostname) && found.some(({ port }) => port !== undefined);
  if (link.protocol === "https:" || (isPlain && isOwn)) return found;
  throw new ExhibitError(
    "policy.insecure-address",
    `${link.host} would be asked without encryption.`,
    {
      hint: "Ask the partner for a link that begins with https://.",
    },
  );
}

/** @throws ExhibitError `policy.insecure-address` for an address that must not be reached */
export function requireReachable(
  host: string,
  address: string,
  found: readonly AllowedHost[],
): void {
  const why = whyRefused(address);
  if (why === undefined) return;
  if (found.some(({ network }) => network !== undefined && liesIn(address, network))) return;
  const words = `${host} has an address that must not be reached (${address}: ${why}).`;
  throw new ExhibitError("policy.insecure-address", words, {
    hint: `Nothing was asked. Only if the partner really is in a closed network of yours: --allow-host ${host}=NETWORK, such as 10.20.0.0/16.`,
    facts: { host, address },
  });
}
