import { isIP } from "node:net";
import path from "node:path";
import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import { organisationSchema } from "../../evidence/identity.ts";
import { parseDuration } from "../../evidence/quantities.ts";
import { thumbprintSchema } from "../../evidence/thumbprint.ts";
import { isLoopback } from "../../evidence/web-address.ts";
import { mailFrom, smtpAddress } from "../../evidence/smtp-address.ts";
import type { Context, ServeRequest, Serving, SmtpRequest } from "../context.ts";
import { wantsJson } from "../given.ts";
import { flagOf, parseOptions, type Typed } from "../input.ts";
import { rebuildAsked, tellRebuilt } from "../rebuild-lines.ts";
import { note, printResult } from "../ui/result.ts";
import { providerGiven, providerOptions } from "../serve-provider.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

const optionsSchema = z.object({
  data: z.string().min(1, "must not be empty").optional(),
  store: z
    .string()
    .regex(/^s3:\/\//i, "must be the address of a bucket, like s3://BUCKET/PREFIX?region=NAME")
    .optional(),
  partsThroughServer: z.boolean().default(false),
  host: z.string().min(1, "must not be empty"),
  port: z
    .string()
    .regex(/^\d{1,5}$/, "must be a number from 0 to 65535")
    .transform(Number)
    .refine((port) => port <= 65_535, "must be a number from 0 to 65535"),
  tlsCert: z.string().optional(),
  tlsKey: z.string().optional(),
  publicUrl: z
    .string()
    .refine(
      isWebUrl,
      "must be a URL such as https://evidence.example.police.uk, with nothing behind it",
    )
    .transform((text) => new URL(text).origin)
    .optional(),
  trustProxy: z
    .array(z.string().refine(isRange, "must be addresses or ranges such as 10.0.0.0/8"))
    .default([]),
  metricsAddress: z
    .string()
    .refine(
      (text) => addressIn(text) !== undefined,
      "must be an address and a port, such as 127.0.0.1:9464",
    )
    .optional(),
  organisation: organisationSchema.optional(),
  expireUploads: z.string(),
  ...providerOptions,
  smtpUrl: z.string().optional(),
  smtpPasswordFile: z.string().min(1, "must not be empty").optional(),
  smtpCaFile: z.string().min(1, "must not be empty").optional(),
  mailFrom: z.string().optional(),
  invitationFile: z.string().min(1, "must not be empty").optional(),
  newAdminInvitation: z.boolean().default(false),
  rebuildIndex: z.boolean().default(false),
  formerKey: z.array(thumbprintSchema).default([]),
});

/** `exhibit serve`: runs until it is told to stop. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, machine, signal } = context;
  const json = wantsJson(typed);
  const request = toRequest(parseOptions(optionsSchema, typed), terminal.errorIsTerminal && !json);
  const serving = await machine.serve(
    { ...request, rebuildIndex: rebuildAsked(context, typed) },
    signal,
  );
  if (serving.rebuilt !== undefined) tellRebuilt(context, json, serving.rebuilt);
  const { url, publicUrl, serverKey, metricsUrl } = serving;
  const metrics = metricsUrl === undefined ? {} : { metricsUrl };
  const listening = { type: "listening", url, publicUrl, serverKey, ...metrics };
  printResult(terminal, json, { schema: "exhibit.serve/1", ...listening }, () => [
    `Listening on ${url}`,
  ]);
  tell(context, json, serving);
  signal.addEventListener("abort", () => {
    note(terminal, json, "Stopping: what runs may finish its last step.");
  });
  await serving.finished;
  note(
    terminal,
    json,
    "Stopped. Unfinished uploads are parked; they go on when the server is back.",
  );
}

function tell({ terminal }: Context, json: boolean, serving: Serving): void {
  const theme = themeFor(terminal.color);
  const { invitation, serverKey, dataDir, contentUrl, partsGoDirect, logFile } = serving;
  const { publicUrl, metricsUrl, url } = serving;
  const lines = [
    `Data folder: ${visible(dataDir)}${logFile === undefined ? "" : `   Log: ${visible(logFile)}`}`,
    `Key: ${serverKey}`,
    ...(contentUrl === undefined ? [] : [`Content: ${visible(contentUrl)}`]),
    ...(partsGoDirect ? ["Clients that can reach it send parts of files straight there."] : []),
    ...(metricsUrl === undefined ? [] : [`Metrics: ${metricsUrl}`]),
    ...(publicUrl === url ? [] : [`People reach it as ${publicUrl}`]),
  ];
  if (invitation !== undefined && "code" in invitation) {
    lines.push(
      "",
      "Invitation for the admin, to be used once, shown only now:",
      "",
      `  ${theme.strong(invitation.code)}`,
      "",
      `Valid for 14 days. On the admin's machine: exhibit login ${publicUrl}`,
    );
  } else if (invitation !== undefined) {
    lines.push(
      `Invitation for the admin, to be used once within 14 days: ${visible(invitation.file)}`,
    );
  }
  if (terminal.errorIsTerminal) lines.push("", "Ctrl-C stops it.");
  note(terminal, json, ...lines);
}

function toRequest(
  options: z.infer<typeof optionsSchema>,
  canShow: boolean,
): Omit<ServeRequest, "rebuildIndex"> {
  const { tlsCert, tlsKey, host, publicUrl, trustProxy } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new ExhibitError(
      "usage.missing",
      `${tlsCert === undefined ? "--tls-cert" : "--tls-key"} is missing: certificate and key go together.`,
    );
  }
  const behindProxy = publicUrl !== undefined && trustProxy.length > 0;
  if (!isLoopback(host) && tlsCert === undefined && !behindProxy) {
    throw new ExhibitError(
      "policy.insecure-address",
      `Evidence and sign-ins would cross the network unprotected on ${host}.`,
      {
        hint:
          "Give --tls-cert and --tls-key; or, behind a proxy that ends TLS, --public-url URL and --trust-proxy CIDR; or " +
          "leave out --host to serve this machine alone.",
      },
    );
  }
  if (
    publicUrl !== undefined &&
    publicUrl.startsWith("http:") &&
    !isLoopback(new URL(publicUrl).hostname)
  ) {
    throw new ExhibitError("policy.insecure-address", "--public-url must start with https:.", {
      hint: "Links and sign-ins would cross the network unprotected otherwise.",
    });
  }
  const file = options.invitationFile;
  return {
    dataDir: options.data === undefined ? undefined : path.resolve(options.data),
    store: options.store,
    partsThroughServer: options.partsThroughServer,
    host,
    port: options.port,
    tls:
      tlsCert === undefined || tlsKey === undefined
        ? undefined
        : { certFile: tlsCert, keyFile: tlsKey },
    metrics: options.metricsAddress === undefined ? undefined : addressIn(options.metricsAddress),
    publicUrl,
    trustProxy,
    organisation: options.organisation,
    provider: providerGiven(options),
    caFile: options.caFile,
    expireUploadsSeconds: parseDuration(options.expireUploads, "--expire-uploads"),
    smtp: smtpOf(options),
    newAdminInvitation: options.newAdminInvitation,
    invitation:
      file === undefined && canShow
        ? "show"
        : { file: file === undefined ? undefined : path.resolve(file) },
    logToStderr: !canShow,
  };
}

function smtpOf(options: z.infer<typeof optionsSchema>): SmtpRequest | undefined {
  const { smtpUrl, mailFrom: from, smtpPasswordFile: passwordFile, smtpCaFile: caFile } = options;
  if (smtpUrl === undefined) {
    const [needless] = Object.entries({
      mailFrom: from,
      smtpPasswordFile: passwordFile,
      smtpCaFile: caFile,
    })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => flagOf(name));
    if (needless === undefined) return undefined;
    throw new ExhibitError("usage.missing", `--smtp-url is missing: ${needless} is about it.`);
  }
  const address = smtpAddress(smtpUrl);
  return { address, from: mailFrom(from, address), passwordFile, caFile };
}

/** `127.0.0.1:9464`, `[::1]:9464`; undefined for anything else, a name as well. */
function addressIn(text: string): { host: string; port: number } | undefined {
  const [, host = "", port = ""] = /^\[?([^\]]*)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (isIP(host) === 0 || Number(port) > 65_535) return undefined;
  return text.startsWith("[") === (isIP(host) === 6) ? { host, port: Number(port) } : undefined;
}

function isWebUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    ["http:", "https:"].includes(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === "" &&
    url.pathname === "/"
  );
}

function isRange(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  );
}
