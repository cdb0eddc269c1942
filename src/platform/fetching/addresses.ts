import { BlockList, isIP, isIPv4 } from "node:net";

/** Networks that no link of an outside partner leads to (RFC 6890 and its registry). */
const refused: readonly (readonly [network: string, bits: number, what: string])[] = [
  ["0.0.0.0", 8, "no host's"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "a carrier's own"],
  ["127.0.0.0", 8, "this computer's own"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "for examples"],
  ["192.88.99.0", 24, "reserved"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "for measurements"],
  ["198.51.100.0", 24, "for examples"],
  ["203.0.113.0", 24, "for examples"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
  ["::", 96, "no host's"],
  ["64:ff9b::", 96, "translated"],
  ["64:ff9b:1::", 48, "translated"],
  ["100::", 64, "discarded"],
  ["2001::", 23, "reserved"],
  ["2001:db8::", 32, "for examples"],
  ["2002::", 16, "translated"],
  ["fc00::", 7, "private"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "private"],
  ["ff00::", 8, "multicast"],
];

const lists = refused.map(([network, bits, what]) => ({ list: listOf(network, bits), what }));

function listOf(network: string, bits: number): BlockList {
  const list = new BlockList();
  list.addSubnet(network, bits, isIPv4(network) ? "ipv4" : "ipv6");
  return list;
}

/** A network in CIDR notation; undefined for what is none. */
export function networkOf(cidr: string): BlockList | undefined {
  const [network = "", bits = "", ...rest] = cidr.split("/");
  const most = isIPv4(network) ? 32 : 128;
  if (isIP(network) === 0 || !/^\d{1,3}$/.test(bits) || rest.length > 0) return undefined;
  return Number(bits) > most ? undefined : listOf(network, Number(bits));
}

/** Whether an address lies in a network; an IPv4 address is the same when it comes mapped into IPv6. */
export function liesIn(address: string, network: BlockList): boolean {
  const bare = unmapped(address);
  return network.check(bare, isIPv4(bare) ? "ipv4" : "ipv6");
}

/** Why an address must not be reached, in a word; undefined for one of the open Internet. */
export function whyRefused(address: string): string | undefined {
  if (isIP(address) === 0) return "unknown";
  return lists.find(({ list }) => liesIn(address, list))?.what;
}

/** `::ffff:127.0.0.1` and `::ffff:7f00:1` are 127.0.0.1. */
function unmapped(address: string): string {
  const [bare = ""] = address.split("%");
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(bare);
  if (mapped === null) return bare;
  if (mapped[1] !== undefined) return mapped[1];
  const [high, low] = [mapped[2] ?? "", mapped[3] ?? ""].map((hex) => Number.parseInt(hex, 16));
  return [high ?? 0, low ?? 0].flatMap((pair) => [pair >> 8, pair & 255]).join(".");
}
