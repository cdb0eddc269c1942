import { readFile } from "node:fs/promises";
import { createServer as createSocket, isIPv6, type AddressInfo } from "node:net";
import { createSecureContext } from "node:tls";
import { Kysely } from "kysely";
import type { ServeRequest, Serving } from "../cli/context.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Mail } from "../evidence/ports/mail.ts";
import { s3Address } from "../evidence/s3-address.ts";
import { isLoopback } from "../evidence/web-address.ts";
import { replaceFile } from "../platform/atomic-file.ts";
import { openDataFolder, type DataFolder } from "../platform/data-folder.ts";
import { keepLastStart, lastStartIn } from "../platform/last-start.ts";
import { openLog } from "../platform/logs.ts";
import { pathsOn, type MachineFacts } from "../platform/paths.ts";
import { sqliteDialect } from "../platform/sqlite.ts";
import { createAdminInvitation, createFirstInvitation } from "../server/accounts/invitations.ts";
import { migrate } from "../server/database/migrate.ts";
import type { Tables } from "../server/database/tables.ts";
import type { ServerDeps } from "../server/deps.ts";
import { keepRotations } from "../server/keys/kept-rotations.ts";
import { createServer, type Tls } from "../server/server.ts";
import { openForceProvider, type ForceProvider } from "./force-provider.ts";
import { openMail } from "./mail.ts";
import { rebuiltFrom } from "./rebuilt-index.ts";
import { listen } from "./listen.ts";
import { openMetricsAt } from "./metrics.ts";
import { openServerContent, type ServerContent } from "./server-content.ts";

/** Builds an exhibit server over this machine's folder and starts to listen. */
export async function composeServer(
  facts: MachineFacts,
  version: string,
  request: ServeRequest,
  signal: AbortSignal,
): Promise<Serving> {
  // Whatever is made from here on (database, content, logs) is for this user alone.
  process.umask(0o077);
  const tls = await readTls(request);
  const machine =
    request.caFile === undefined
      ? facts
      : { ...facts, env: { ...facts.env, EXHIBIT_CA_FILE: request.caFile } };
  // A wrong role map is told before anything is made.
  const provider = request.provider && (await openForceProvider(request.provider, machine));
  const mail = await openMail(request, facts);
  const folder = await openDataFolder(request.dataDir ?? pathsOn(facts).serverDir, {
    adoptContent: request.rebuildIndex !== undefined,
  });
  try {
    return await serveFrom({ folder, tls, mail, provider }, machine, version, request, signal);
  } catch (error) {
    await provider?.close();
    await folder.release();
    throw error;
  }
}

/** What was opened before the server is built. */
interface Opened {
  readonly folder: DataFolder;
  readonly tls: Tls | undefined;
  readonly mail: Mail | undefined;
  readonly provider: ForceProvider | undefined;
}

async function serveFrom(
  { folder, tls, mail, provider }: Opened,
  facts: MachineFacts,
  version: string,
  request: ServeRequest,
  signal: AbortSignal,
): Promise<Serving> {
  const port = request.port === 0 ? await freePort(request.host) : request.port;
  const host = isIPv6(request.host) ? `[${request.host}]` : request.host;
  const url = `${tls === undefined ? "http" : "https"}://${host}:${port}`;
  const database = new Kysely<Tables>({ dialect: sqliteDialect(folder.databaseFile) });
  let kept: ServerContent | undefined;
  try {
    await migrate(database);
    const formerKeys = request.rebuildIndex?.formerKeys ?? [];
    const asked = { store: request.store, formerKeys };
    kept = await openServerContent(folder, asked, database, facts, signal);
    const { content, grouped, smokeEraser } = kept;
    const publicUrl = request.publicUrl ?? url;
    const organisation =
      request.organisation ?? lastStartIn(folder)?.organisation ?? "Exhibit server";
    const rebuilt = await rebuiltFrom(folder, content, database, request.rebuildIndex, signal);
    const directParts = canReachEngine(request, publicUrl) ? kept.directParts : undefined;
    const deps: ServerDeps = {
      content,
      grouped,
      directParts,
      mail,
      smokeEraser,
      database,
      key: folder.key,
      rotations: folder.rotations,
      retiredKeys: rebuilt?.retiredKeys ?? folder.retiredKeys,
      sso: provider?.sso,
      clock: { now: () => new Date() },
      settings: {
        publicUrl,
        organisation,
        version,
        trustProxy: request.trustProxy,
        expireUploadsMs: request.expireUploadsSeconds * 1000,
        scratch: folder.scratchDir,
      },
    };
    await keepRotations(deps, signal);
    const log = openLog(request.logToStderr ? undefined : folder.logFile);
    const metrics =
      request.metrics === undefined
        ? undefined
        : await openMetricsAt(request.metrics, deps, (error) => {
            log.logger.error({ errorName: error.name }, "metrics");
          });
    const app = await createServer(deps, log.logger, tls, metrics?.metrics);
    let invitation: Serving["invitation"];
    try {
      await listen(() => app.listen({ host: request.host, port }), request.host, port);
      await metrics?.listen();
      // Made last: an invitation that nobody was shown could not be shown again.
      invitation = await invite(deps, folder, request);
      await keepLastStart(folder, { publicUrl, organisation });
    } catch (error) {
      metrics?.close();
      await app.close();
      throw error;
    }
    const finished = stopped(signal)
      .then(() => {
        metrics?.close();
        return app.close();
      })
      .finally(() => kept?.close())
      .finally(() => provider?.close())
      .finally(() => database.destroy())
      .finally(() => folder.release())
      .finally(() => log.close());
    return {
      url,
      publicUrl: deps.settings.publicUrl,
      serverKey: folder.key.thumbprint,
      metricsUrl: metrics?.url(),
      dataDir: folder.path,
      partsGoDirect: directParts !== undefined,
      contentUrl: request.store === undefined ? undefined : content.url,
      logFile: request.logToStderr ? undefined : folder.logFile,
      rebuilt: rebuilt?.counts,
      invitation,
      finished,
    };
  } catch (error) {
    await kept?.close();
    await database.destroy();
    throw error;
  }
}

/** Whether clients may send to the engine: one on this very computer is reached only by those who reach the server here, too. */
function canReachEngine({ store, partsThroughServer }: ServeRequest, publicUrl: string): boolean {
  if (store === undefined || partsThroughServer) return false;
  const { endpoint } = s3Address(store);
  const isHere = (url: string): boolean => isLoopback(new URL(url).hostname);
  return endpoint === undefined || !isHere(endpoint) || isHere(publicUrl);
}

async function invite(
  deps: ServerDeps,
  folder: DataFolder,
  request: ServeRequest,
): Promise<Serving["invitation"]> {
  const code = request.newAdminInvitation
    ? await createAdminInvitation(deps)
    : await createFirstInvitation(deps);
  if (code === undefined) return undefined;
  if (request.invitation === "show") return { code };
  const file = request.invitation.file ?? folder.invitationFile;
  await replaceFile(file, `${code}\n`);
  return { file };
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
  });
}

async function readTls({ tls }: ServeRequest): Promise<Tls | undefined> {
  if (tls === undefined) return undefined;
  const read = async (file: string, flag: string): Promise<Buffer> => {
    try {
      return await readFile(file);
    } catch (cause) {
      throw new ExhibitError("not-found.source", `${flag} ${file} cannot be read.`, {
        hint: "Check the path, and that the account that runs the server may read it.",
        cause,
      });
    }
  };
  const pair = {
    cert: await read(tls.certFile, "--tls-cert"),
    key: await read(tls.keyFile, "--tls-key"),
  };
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new ExhibitError(
      "usage.invalid",
      "--tls-cert and --tls-key are not a certificate and its key.",
      { hint: "Both must be in PEM, and belong together.", cause },
    );
  }
  return pair;
}

/** Links hold the port, so it has to be known before the server is built. */
async function freePort(host: string): Promise<number> {
  const probe = createSocket();
  await listen(
    () =>
      new Promise((resolve, reject) => {
        probe.once("error", reject).listen(0, host, () => {
          resolve(undefined);
        });
      }),
    host,
    0,
  );
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
