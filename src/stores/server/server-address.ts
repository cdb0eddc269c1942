import { ExhibitError } from "../../evidence/errors.ts";

/**
 * A server's address in the one form that everything of ours is kept under: no slash at its end, no query.
 *
 * @throws ExhibitError `usage.invalid`; `policy.insecure-address` for plain http to anything but this machine
 */
export function serverAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.search !== ""
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

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
