import { randomState } from "openid-client";
import { z } from "zod";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { DoctorFinding } from "../../../evidence/ports/doctor.ts";
import type { ShowPage } from "../../../evidence/ports/officer-sign-in.ts";
import { isLoopback } from "../../../evidence/web-address.ts";
import type { StatedProvider } from "../../../protocol/server-statement.ts";
import { certificateChain } from "../../certificate-chain.ts";
import { parsed, send } from "../../control-call.ts";
import { openCallback } from "../../sign-in/callback.ts";
import { askServer } from "../ask-server.ts";
import { findIdentity } from "../kept-identity.ts";
import type { SessionMachine } from "../session.ts";
import { examineClaims } from "./examine-claims.ts";
import { finding } from "./finding.ts";
import { findTokens, loginCommand } from "./kept-tokens.ts";
import { officerTokens } from "./officer-tokens.ts";
import { callbackAt, grantedOnPage } from "./on-page.ts";
import { Provider } from "./provider.ts";
import { settingFor } from "./refusals.ts";

/** A clock may be so far off before tokens are refused. */
const toleranceSeconds = 60;

const discoverySchema = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  device_authorization_endpoint: z.url().optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
});
type Discovery = z.infer<typeof discoverySchema>;

/** Looks at everything that a sign-in by the force's provider needs, from this machine. */
export async function examineSignIn(
  url: string,
  showPage: ShowPage,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  const { network, clock, secrets } = machine;
  const kept = await findIdentity(secrets, url);
  const route = network.route(url);
  const known = await askServer(url, kept?.serverThumbprint, route, clock, signal);
  const stated = known.statement.provider;
  if (stated === undefined) {
    return [
      finding(
        "provider",
        "will-not-work",
        "The server has no identity provider: everybody comes by an invitation.",
        "exhibit serve --oidc-issuer URL --oidc-client-id ID --role-map FILE",
      ),
    ];
  }
  const provider = new Provider(stated, machine, loginCommand(url));
  const findings = [
    finding("provider", "ok", `The server names the provider ${stated.issuer}.`),
    await tls(stated.issuer, machine, signal),
  ];
  const { discovery, aheadSeconds, found } = await discover(stated, machine, signal);
  findings.push(...found);
  if (discovery === undefined) return findings;
  findings.push(clockFinding(aheadSeconds));
  findings.push(...(await page(provider, machine, url, signal)));
  findings.push(await device(discovery, stated, machine, signal));
  // Where the page cannot be come back from, nobody should be sent to it.
  const canSignIn = findings.every(({ verdict }) => verdict !== "will-not-work");
  const shown = canSignIn ? showPage : undefined;
  const token = await tokenToLookAt(url, stated, provider, shown, machine, signal);
  if (token instanceof ExhibitError) {
    const { message, hint } = token;
    return [...findings, finding("sign-in", "will-not-work", message, hint)];
  }
  findings.push(...(await examineClaims(url, stated, token, machine, signal)));
  return findings;
}

async function tls(
  issuer: string,
  { network }: SessionMachine,
  signal: AbortSignal,
): Promise<DoctorFinding> {
  const { protocol, host, hostname } = new URL(issuer);
  if (protocol !== "https:") {
    return isLoopback(hostname)
      ? finding("tls", "ok", "The provider is on this very computer, and needs no encryption.")
      : finding(
          "tls",
          "will-not-work",
          `Sign-ins would go to ${host} without encryption.`,
          "Give --oidc-issuer with https:.",
        );
  }
  const chain = await certificateChain(issuer, network.route(issuer), signal);
  if (chain === undefined) {
    return finding(
      "tls",
      "will-not-work",
      `This computer trusts no certificate that ${host} presents, or cannot reach it.`,
      "If a proxy of the force opens TLS connections, name its authority's file with --ca-file (server: exhibit serve --ca-file), or exempt this host from inspection.",
    );
  }
  if (chain.isPublic) return finding("tls", "ok", `${host} is vouched for by a public authority.`);
  return finding(
    "tls",
    "unknown",
    `The certificate of ${host} comes from an authority of the force's own (${chain.issuers.at(-1) ?? ""}): a proxy may be reading sign-ins.`,
    `It works here with --ca-file. Better: exempt ${host} from TLS inspection, as Microsoft asks for login.microsoftonline.com.`,
  );
}

async function discover(
  { issuer }: StatedProvider,
  { network, clock }: SessionMachine,
  signal: AbortSignal,
): Promise<{
  readonly discovery: Discovery | undefined;
  readonly aheadSeconds: number | undefined;
  readonly found: readonly DoctorFinding[];
}> {
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const none = { discovery: undefined, aheadSeconds: undefined };
  const entra =
    "In Entra ID the issuer is https://login.microsoftonline.com/TENANT_ID/v2.0, with the Directory (tenant) ID of App registrations > the application > Overview.";
  let answer;
  try {
    answer = await send(
      network.route(address),
      { url: address, method: "GET", headers: {}, body: undefined, retries: 1 },
      signal,
    );
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    const words = `The provider cannot be reached: ${error.message}`;
    return { ...none, found: [finding("discovery", "will-not-work", words, error.hint)] };
  }
  const document = discoverySchema.safeParse(parsed(answer.text, answer.headers["content-type"]));
  if (answer.status !== 200 || !document.success) {
    const words = `There is no discovery document at ${address} (status ${answer.status}).`;
    return { ...none, found: [finding("discovery", "will-not-work", words, entra)] };
  }
  if (document.data.issuer !== issuer) {
    const words = `The provider calls itself ${document.data.issuer}, and the server was told ${issuer}.`;
    return { ...none, found: [finding("discovery", "will-not-work", words, entra)] };
  }
  const theirNow = Date.parse(answer.headers.date ?? "");
  const methods = document.data.code_challenge_methods_supported;
  const found = [
    finding("discovery", "ok", "The provider is reached and is the one it should be."),
  ];
  if (methods?.includes("S256") === false) {
    found.push(
      finding(
        "pkce",
        "will-not-work",
        "The provider does not take PKCE with S256.",
        "Enable it there.",
      ),
    );
  }
  return {
    discovery: document.data,
    aheadSeconds: Number.isNaN(theirNow)
      ? undefined
      : Math.round((clock.now().getTime() - theirNow) / 1000),
    found,
  };
}

function clockFinding(aheadSeconds: number | undefined): DoctorFinding {
  if (aheadSeconds === undefined) {
    return finding("clock", "unknown", "The provider does not tell its time.");
  }
  const way = aheadSeconds > 0 ? "ahead of" : "behind";
  const words = `This computer's clock is ${Math.abs(aheadSeconds)} s ${way} the provider's.`;
  return Math.abs(aheadSeconds) <= toleranceSeconds
    ? finding("clock", "ok", words)
    : finding("clock", "will-not-work", words, "Set this computer's date and time.");
}

/** Opens the door that the browser comes back to, and asks for the page as a browser would. */
async function page(
  provider: Provider,
  { network }: SessionMachine,
  url: string,
  signal: AbortSignal,
): Promise<DoctorFinding[]> {
  const callback = await openCallback(callbackAt(url), randomState());
  try {
    const own = await fetch(`${callback.redirectUri}/`, { signal }).catch(() => undefined);
    const loopback =
      own?.status === 400
        ? finding("loopback", "ok", "A browser on this computer can come back to exhibit.")
        : finding(
            "loopback",
            "will-not-work",
            "Nothing on this computer reaches http://localhost.",
            "Let programs listen on 127.0.0.1, and have localhost mean it (hosts file, local firewall).",
          );
    const begun = await provider.begin(callback.redirectUri, randomState(), signal);
    const answer = await send(
      network.route(begun.url),
      {
        url: begun.url,
        method: "GET",
        headers: { accept: "text/html" },
        body: undefined,
        retries: 1,
      },
      signal,
    );
    // Entra ID tells its refusals on a page with status 200; others with one of 400.
    const number = /\bAADSTS(\d{4,8})\b/.exec(answer.text)?.[1];
    if (answer.status < 400 && number === undefined) {
      return [loopback, finding("application", "ok", "The provider knows the application.")];
    }
    const remedy =
      (number === undefined ? undefined : settingFor(number)) ??
      'Compare --oidc-client-id with the application\'s. In Entra ID: App registrations > the application > Authentication > Add a platform > "Mobile and desktop applications", redirect URI http://localhost. Elsewhere: a public (native) client with the redirect URI http://localhost and any port.';
    const why = number === undefined ? `status ${answer.status}` : `AADSTS${number}`;
    return [
      loopback,
      finding(
        "application",
        "will-not-work",
        `The provider refuses the application (${why}).`,
        remedy,
      ),
    ];
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    return [finding("application", "will-not-work", error.message, error.hint)];
  } finally {
    callback.close();
  }
}

async function device(
  discovery: Discovery,
  { clientId, scopes }: StatedProvider,
  { network }: SessionMachine,
  signal: AbortSignal,
): Promise<DoctorFinding> {
  const blocked = (why: string): DoctorFinding =>
    finding(
      "device-flow",
      "ok",
      `Signing in with a code (--device) is not possible (${why}), as it should be: it invites phishing. exhibit login uses the browser.`,
    );
  const endpoint = discovery.device_authorization_endpoint;
  if (endpoint === undefined) return blocked("the provider has no device flow");
  try {
    const answer = await send(
      network.route(endpoint),
      {
        url: endpoint,
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ client_id: clientId, scope: scopes.join(" ") }).toString(),
        retries: 1,
      },
      signal,
    );
    if (answer.status >= 400) {
      return blocked(/\bAADSTS\d+\b/.exec(answer.text)?.[0] ?? `status ${answer.status}`);
    }
    return finding(
      "device-flow",
      "unknown",
      "The provider begins a sign-in with a code; only a person's sign-in shows whether a rule ends it.",
      "Entra ID, Protection > Conditional Access: block the device code flow unless somebody needs it.",
    );
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    return finding("device-flow", "unknown", error.message, error.hint);
  }
}

/** A token of the login that is kept here, or of one that is made for this and kept nowhere. */
async function tokenToLookAt(
  url: string,
  stated: StatedProvider,
  provider: Provider,
  showPage: ShowPage,
  machine: SessionMachine,
  signal: AbortSignal,
): Promise<string | ExhibitError | undefined> {
  try {
    if ((await findTokens(machine.secrets, url)) !== undefined) {
      return await officerTokens(url, stated, machine).token(signal);
    }
    if (showPage === undefined) return undefined;
    return (await grantedOnPage(url, provider, showPage, undefined, signal)).accessToken;
  } catch (error) {
    if (error instanceof ExhibitError) return error;
    throw error;
  }
}
