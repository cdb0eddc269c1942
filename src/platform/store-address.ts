import path from "node:path";
import { pathToFileURL } from "node:url";
import { ExhibitError } from "../evidence/errors.ts";

/**
 * A store's URL as it is kept: an exhibit server's without a slash at its end, or a folder's. A path is taken for a
 * folder.
 *
 * @throws ExhibitError `usage.invalid`; `policy.insecure-address` for plain http to another machine
 */
export function storeAddress(text: string): string {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(text)) {
    if (path.isAbsolute(text) || text.startsWith("."))
      return pathToFileURL(path.resolve(text)).href;
    throw notAStore(text);
  }
  // C: is a drive, not a scheme; the pattern above wants two letters.
  if (!URL.canParse(text)) throw notAStore(text);
  const url = new URL(text);
  if (`${url.username}${url.password}${url.search}${url.hash}` !== "") throw notAStore(text);
  if (url.protocol === "file:" && url.hostname === "") return url.href.replace(/(?<=.)\/+$/, "");
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new ExhibitError(
      "policy.insecure-address",
      `${url.host} would be reached without encryption.`,
      { hint: `Use https://${url.host}. Plain http is only for a server on this very computer.` },
    );
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw notAStore(text);
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** A short name for a store, made from its URL: `evidence` for https://evidence.example.police.uk. */
export function nameFor(url: string, taken: ReadonlySet<string>): string {
  const { hostname, pathname } = new URL(url);
  const base =
    hostname === "" ? path.posix.basename(pathname) : isLoopback(hostname) ? "local" : hostname;
  const name =
    (base.split(".")[0] ?? "")
      .replace(/[^a-z0-9_-]+/gi, "-")
      .replace(/^[-_]+/, "")
      .slice(0, 30) || "store";
  if (!taken.has(name)) return name;
  let serial = 2;
  while (taken.has(`${name}-${serial}`)) serial += 1;
  return `${name}-${serial}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function notAStore(text: string): ExhibitError {
  return new ExhibitError("usage.invalid", `"${text}" is not a store's address.`, {
    hint: "Write https://HOST for an exhibit server, or file:///PATH for a folder.",
  });
}
