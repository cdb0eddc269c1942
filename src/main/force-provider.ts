import { readFile } from "node:fs/promises";
import { request as ask } from "undici";
import type { ServeRequest } from "../cli/context.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { parseTimetable } from "../evidence/timetable.ts";
import { openNetwork } from "../platform/network.ts";
import type { MachineFacts } from "../platform/paths.ts";
import { ProviderKeys } from "../server/sso/provider-keys.ts";
import { parseRoleMap } from "../server/sso/role-map.ts";
import type { Sso } from "../server/sso/sso.ts";
import { Paced } from "../transfer/paced.ts";
import { readCertificates } from "./certificates.ts";

/** The force's provider, and the connections to it. */
export interface ForceProvider {
  readonly sso: Sso;
  close(): Promise<void>;
}

const clock = { now: () => new Date() };
const limitMs = 5_000;
const limitBytes = 1024 * 1024;

/**
 * The force's identity provider, by this machine's proxy and certificates. It is not asked yet: a server starts also while it is down.
 *
 * @throws ExhibitError `not-found.source`, `usage.invalid` for a role map that is none
 */
export async function openForceProvider(
  provider: NonNullable<ServeRequest["provider"]>,
  { env }: MachineFacts,
): Promise<ForceProvider> {
  const { issuer, clientId, audience, scopes, roleMapFile } = provider;
  const text = await readFile(roleMapFile, "utf8").catch((cause: unknown) => {
    throw new ExhibitError("not-found.source", `--role-map ${roleMapFile} cannot be read.`, {
      hint: "Check the path and that you may read it.",
      cause,
    });
  });
  const roleMap = parseRoleMap(text, roleMapFile);
  const network = openNetwork({
    proxyUrl: env["HTTPS_PROXY"] ?? env["https_proxy"],
    noProxy: env["NO_PROXY"] ?? env["no_proxy"],
    caPem: await readCertificates(env["EXHIBIT_CA_FILE"]),
    pace: new Paced(parseTimetable("off", "--bwlimit"), clock),
  });
  const getJson = async (url: string): Promise<unknown> => {
    const { statusCode, body } = await ask(url, {
      dispatcher: network.route(url).dispatcher,
      headers: { accept: "application/json", "user-agent": "exhibit" },
      signal: AbortSignal.timeout(limitMs),
    });
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.byteLength;
      if (length > limitBytes) throw new Error("The answer is too long.");
    }
    if (statusCode !== 200) throw new Error(`The answer has status ${statusCode}.`);
    return JSON.parse(Buffer.concat(pieces).toString("utf8")) as unknown;
  };
  const keys = new ProviderKeys(issuer, getJson, clock);
  return {
    sso: {
      issuer,
      clientId,
      audience,
      scopes,
      roleMap,
      keys: (header, token) => keys.find(header, token),
    },
    close: () => network.close(),
  };
}
