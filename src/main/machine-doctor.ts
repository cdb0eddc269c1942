import { existsSync } from "node:fs";
import type { GivenSettings, Settings } from "../cli/context.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { DoctorFinding } from "../evidence/ports/doctor.ts";
import { s3Address } from "../evidence/s3-address.ts";
import { parseTimetable } from "../evidence/timetable.ts";
import { loadConfig, type Config } from "../platform/config.ts";
import { examineCertificates } from "../platform/doctor/certificates.ts";
import { examineKeys } from "../platform/doctor/keys.ts";
import { examineReach, type Reachable } from "../platform/doctor/reach.ts";
import { examineStateFolder } from "../platform/doctor/state-folder.ts";
import { examineFfmpeg, examineHashSpeed, examineNode } from "../platform/doctor/this-program.ts";
import { openJournal } from "../platform/journal.ts";
import { openNetwork } from "../platform/network.ts";
import { pathsOn, type MachineFacts } from "../platform/paths.ts";
import { settle } from "../platform/settings.ts";
import { Paced } from "../transfer/paced.ts";
import { readCertificates } from "./certificates.ts";
import { chooseSecrets } from "./secrets.ts";

type Look = () => Promise<readonly DoctorFinding[]>;

/** What this machine can do, before anybody tries: looks, and changes nothing but a file that it makes and removes. */
export async function examineMachine(
  facts: MachineFacts,
  version: string,
  given: GivenSettings,
  signal: AbortSignal,
): Promise<readonly DoctorFinding[]> {
  const paths = pathsOn(facts);
  const findings: DoctorFinding[] = [examineNode(process.version, facts.platform, process.arch)];
  const look = async (id: string, looking: Look): Promise<void> => {
    try {
      findings.push(...(await looking()));
    } catch (error) {
      if (!(error instanceof ExhibitError)) throw error;
      const { message, hint, code } = error;
      findings.push({ id, verdict: "will-not-work", words: message, remedy: hint, code });
    }
  };
  let config: Config | undefined;
  let settings: Settings | undefined;
  await look("configuration", async () => {
    const loaded = await loadConfig(paths.configFile, version);
    config = loaded.config;
    settings = settle(given, facts.env, config);
    const stores = Object.keys(config.stores).length;
    const words = `${paths.configFile} can be read; it names ${stores} ${stores === 1 ? "store" : "stores"}`;
    return [{ id: "configuration", verdict: "ok", words, remedy: loaded.warnings[0] }];
  });
  await look("state-folder", () => examineStateFolder(paths.stateDir));
  await look("unfinished", () => Promise.resolve(unfinishedIn(paths.journalFile)));
  if (config !== undefined && settings !== undefined) {
    const known = settings;
    const { stores } = config;
    await look("keys", async () => {
      const { secrets, file } = await chooseSecrets(known, paths);
      return [await examineKeys(secrets, file)];
    });
    await look("ca-file", async () => {
      const pem = await readCertificates(known.caFile);
      return pem === undefined ? [] : examineCertificates(pem, new Date());
    });
    await look("network", () => examineStores(facts, known, stores, signal));
  }
  findings.push(examineHashSpeed(), await examineFfmpeg(signal));
  return findings;
}

function unfinishedIn(journalFile: string): DoctorFinding[] {
  const id = "unfinished";
  if (!existsSync(journalFile)) return [{ id, verdict: "ok", words: "no upload was broken off" }];
  const journal = openJournal(journalFile, () => undefined);
  try {
    const jobs = journal.openJobs();
    const [first] = jobs;
    if (first === undefined) return [{ id, verdict: "ok", words: "no upload was broken off" }];
    const words = `${jobs.length} unfinished, the first begun on ${first.startedAt.slice(0, 10)}`;
    return [{ id, verdict: "ok", words, remedy: "Go on with exhibit resume." }];
  } finally {
    journal.close();
  }
}

async function examineStores(
  facts: MachineFacts,
  settings: Settings,
  stores: Config["stores"],
  signal: AbortSignal,
): Promise<DoctorFinding[]> {
  const network = openNetwork({
    proxyUrl: facts.env["HTTPS_PROXY"] ?? facts.env["https_proxy"],
    noProxy: facts.env["NO_PROXY"] ?? facts.env["no_proxy"],
    // What is wrong with the file is told by itself.
    caPem: await readCertificates(settings.caFile).catch(() => undefined),
    pace: new Paced(parseTimetable("off", "--bwlimit"), { now: () => new Date() }),
  });
  try {
    const findings: DoctorFinding[] = [];
    for (const [name, url] of Object.entries(stores)) {
      const store = reachableOf(name, url);
      if (store !== undefined) findings.push(...(await examineReach(store, network, signal)));
    }
    return findings;
  } finally {
    await network.close();
  }
}

/** What answers for a store, without signing in; undefined for folders. */
function reachableOf(name: string, url: string): Reachable | undefined {
  if (url.startsWith("http")) return { name, url: `${url}/healthz`, needsClock: false };
  if (url.startsWith("box:")) return { name, url: "https://api.box.com/", needsClock: true };
  if (!url.startsWith("s3:")) return undefined;
  const { endpoint, region } = s3Address(url);
  return { name, url: `${endpoint ?? `https://s3.${region}.amazonaws.com`}/`, needsClock: true };
}
