import { isIP } from "node:net";
import { ExhibitError } from "./errors.ts";

/**
 * A server's address in the one form that everything of ours is kept under: no slash at its end, nothing behind the
 * path.
 *
 * @throws ExhibitError `usage.invalid`; `policy.insecure-address` for plain http to anything but this machine
 */
export function serverAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    `${url.username}${url.password}${url.search}${url.hash}` !== ""
  ) {
    throw new ExhibitError("usage.invalid", `"${text}" is not the address of a server.`, {
      hint: "Write it like https://evidence.example.police.uk.",
    });
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new ExhibitError(
      "policy.insecure-address",
      `${url.host} would be reached without encryption.`,
      { hint: `Use https://${url.host}. Plain http is only for a server on this very computer.` },
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Whether a host is this very machine: `localhost`, `127.*`, or `::1` with or without its brackets. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}
