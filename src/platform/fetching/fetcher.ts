import { stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseDigestField } from "../../evidence/digest.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import { linkDigest, linkWithoutSecrets } from "../../evidence/fetched.ts";
import type { Arrived, FetchOrder, Fetcher } from "../../evidence/ports/fetcher.ts";
import type { OnTransferEvent } from "../../evidence/progress.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { requireAllowed, type AllowedHost } from "./allowed-hosts.ts";
import { headersOf, isPage, nameFor, pageInstead, refusal, strongEtag } from "./answer-facts.ts";
import { askHost, type Asked, type HostRoutes } from "./ask-host.ts";
import { locationOf } from "./fetched-source.ts";
import { sealedSpools } from "./sealed-spools.ts";
import { readSpooled, Spool, spoolFiles, type Spooled } from "./spool.ts";

const mostRedirects = 5;

/** Tries without a single new byte. */
const mostTries = 5;

export interface FetchMachine {
  /** Where bytes lie while they come in. */
  readonly folder: string;
  readonly hosts: readonly AllowedHost[];
  readonly routes: HostRoutes;
  readonly now: () => Date;
  /** Before the second try; doubled for each further one. */
  readonly baseMs: number;
}

/** Fetches links over HTTP as this machine may. */
export function webFetcher(machine: FetchMachine): Fetcher {
  return {
    ...sealedSpools(machine.folder),
    async fetch(order, onEvent, signal) {
      requireAllowed(order.link, machine.hosts);
      const folder = path.join(machine.folder, linkDigest(order.link).slice(0, 32));
      const spool = Spool.open(folder);
      try {
        const before = await readSpooled(folder);
        const isWhole = before?.sha256 !== undefined;
        const facts = isWhole
          ? before
          : await new Fetching(machine, order, spool, onEvent, signal).whole(before);
        return await arrived(folder, facts, isWhole);
      } finally {
        await spool.close();
      }
    },
  };
}

async function arrived(
  folder: string,
  { name, fetched, sha256 }: Spooled,
  isFromBefore: boolean,
): Promise<Arrived> {
  const { size: sizeBytes } = await stat(spoolFiles(folder).content);
  const discard = async (): Promise<void> => {
    const spool = Spool.open(folder);
    await spool.discard();
    await spool.close();
  };
  const location = locationOf(folder);
  return { location, name, sizeBytes, sha256: sha256 ?? "", fetched, isFromBefore, discard };
}

/** One link on its way in. */
class Fetching {
  readonly #machine: FetchMachine;
  readonly #order: FetchOrder;
  readonly #spool: Spool;
  readonly #onEvent: OnTransferEvent;
  readonly #signal: AbortSignal;
  readonly #shown: string;

  constructor(
    machine: FetchMachine,
    order: FetchOrder,
    spool: Spool,
    onEvent: OnTransferEvent,
    signal: AbortSignal,
  ) {
    this.#machine = machine;
    this.#order = order;
    this.#spool = spool;
    this.#onEvent = onEvent;
    this.#signal = signal;
    this.#shown = order.link.host;
  }

  /** Tries until all is here, going on where a connection broke as long as the host says that it is still the same file. */
  async whole(before: Spooled | undefined): Promise<Spooled> {
    const spool = this.#spool;
    let facts = before;
    if (before !== undefined && (await spool.hasPart())) await spool.takeUp(this.#signal);
    else await spool.cut();
    for (let tries = 1; ; tries += 1) {
      const had = spool.bytes;
      try {
        const asked = await this.#follow(facts);
        try {
          facts = await this.#take(asked, facts);
        } finally {
          asked.answer.drop();
        }
        await spool.finish(facts);
        return { ...facts, sha256: spool.sha256() };
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!hasCode(error, "unavailable.source")) {
          // Only what may still become whole is kept.
          await spool.discard();
          throw error;
        }
        facts = await readSpooled(spool.folder);
        // More bytes are a step forward only where it can go on from them.
        const goesOn = facts !== undefined && strongEtag(facts.fetched.headers) !== undefined;
        if (goesOn && spool.bytes > had) tries = 0;
        if (tries >= mostTries) throw error;
        const seconds = (this.#machine.baseMs * 2 ** Math.max(tries - 1, 0)) / 1000;
        this.#onEvent({ type: "waiting", reason: error.message, seconds });
        await pause(seconds * 1000, undefined, { signal: this.#signal });
      }
    }
  }

  /** Asks, and goes where the answer sends, as long as that is to hosts that are allowed, too. */
  async #follow(
    before: Spooled | undefined,
  ): Promise<{ answer: Asked; link: URL; redirects: number }> {
    const { hosts, routes } = this.#machine;
    const etag = before === undefined ? undefined : strongEtag(before.fetched.headers);
    const headers =
      etag === undefined || this.#spool.bytes === 0
        ? {}
        : { range: `bytes=${this.#spool.bytes}-`, "if-range": etag };
    let { link } = this.#order;
    for (let redirects = 0; ; redirects += 1) {
      const found = requireAllowed(link, hosts);
      const answer = await askHost(link, found, headers, routes, this.#signal);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) {
        return { answer, link, redirects };
      }
      answer.drop();
      if (redirects >= mostRedirects) throw tooManyRedirects(link);
      link = redirected(link, location);
    }
  }

  async #take(
    { answer, link, redirects }: { answer: Asked; link: URL; redirects: number },
    before: Spooled | undefined,
  ): Promise<Spooled> {
    const spool = this.#spool;
    const { status } = answer;
    // All was here, and only its last word was missing: it is fetched anew.
    if (status === 416) await spool.cut();
    if (status !== 200 && status !== 206) throw refusal(status, link);
    const encoding = answer.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity") throw compressed(link, encoding);
    const headers = headersOf(answer);
    let facts = before;
    if (status === 206) {
      if (before === undefined || !isRest(answer, before, spool.bytes)) throw changedBetween(link);
    } else {
      facts = this.#factsOf(answer, { link, redirects }, headers);
      await spool.cut();
      await spool.keepFacts(facts);
    }
    if (facts === undefined) throw changedBetween(link);
    const { announcedBytes } = facts;
    const { mostBytes } = this.#order;
    if ((announcedBytes ?? 0) > mostBytes) throw tooLarge(link, mostBytes);
    this.#onEvent({ type: "file-started", path: this.#shown, sizeBytes: announcedBytes ?? 0 });
    for await (const bytes of answer.body) {
      if (spool.bytes === 0 && isPage(link, headers, bytes)) throw pageInstead(link);
      if (spool.bytes + bytes.length > mostBytes) throw tooLarge(link, mostBytes);
      await spool.append(bytes);
      this.#onEvent({ type: "part-done", path: this.#shown, bytes: bytes.length, sent: true });
    }
    if (spool.bytes === 0 && isPage(link, headers, Buffer.alloc(0))) throw pageInstead(link);
    await answer.requireEnd();
    if (announcedBytes !== undefined && spool.bytes !== announcedBytes) throw endedEarly(link);
    requireDigests(facts, status, spool, link);
    return facts;
  }

  #factsOf(
    answer: Asked,
    { link, redirects }: { link: URL; redirects: number },
    headers: Spooled["fetched"]["headers"],
  ): Spooled {
    const length = answer.headers["content-length"];
    const { address, certificateSha256 } = answer;
    return {
      name: nameFor(link, headers),
      ...(length === undefined ? {} : { announcedBytes: Number(length) }),
      fetched: {
        url: linkWithoutSecrets(this.#order.link),
        urlSha256: linkDigest(this.#order.link),
        host: link.host,
        redirects,
        fetchedAt: this.#machine.now().toISOString(),
        ...(address === undefined ? { viaProxy: true as const } : { address }),
        ...(certificateSha256 === undefined ? {} : { certificateSha256 }),
        headers,
      },
    };
  }
}

/** @throws ExhibitError `policy.insecure-address` for a way from https to http */
function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) {
    throw new ExhibitError("unavailable.source", `${from.host} sends on to what is no address.`, {
      hint: "Ask the partner for a direct link.",
    });
  }
  const to = new URL(location, from);
  to.hash = "";
  to.username = "";
  to.password = "";
  if (from.protocol !== "https:" || to.protocol === "https:") return to;
  throw new ExhibitError(
    "policy.insecure-address",
    `${from.host} sends on to ${to.host} without encryption.`,
    {
      hint: "Ask the partner for a direct link that begins with https://.",
    },
  );
}

/** Whether a part of a file goes on just where the bytes before it end, and belongs to the same file. */
function isRest({ headers }: Asked, { announcedBytes, fetched }: Spooled, from: number): boolean {
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers["content-range"] ?? "");
  const [start, end, size] = (range ?? []).slice(1).map(Number);
  const isSame = headers.etag === undefined || headers.etag === fetched.headers.etag;
  return (
    isSame &&
    start === from &&
    size !== undefined &&
    end === size - 1 &&
    (announcedBytes ?? size) === size
  );
}

/** What came must have the digests that its host gave with it (RFC 9530): of the body where it came in one, of the file always. */
function requireDigests({ fetched }: Spooled, status: number, spool: Spool, link: URL): void {
  const { contentDigest, reprDigest } = fetched.headers;
  const wanted = [status === 200 ? contentDigest : undefined, reprDigest]
    .map(parseDigestField)
    .filter((digest) => digest !== undefined);
  if (wanted.every((digest) => digest === spool.sha256())) return;
  throw new ExhibitError(
    "integrity.mismatch",
    `What ${link.host} sent is not what its own digest says.`,
    {
      hint: "Nothing was kept. Try again, and tell the partner if it goes on.",
    },
  );
}

function tooLarge({ host }: URL, mostBytes: number): ExhibitError {
  return new ExhibitError("policy.too-large", `${host} sends more than ${formatSize(mostBytes)}.`, {
    hint: "Nothing was kept. If the file really is so long, allow it with --max-size.",
    facts: { mostBytes },
  });
}

function tooManyRedirects({ host }: URL): ExhibitError {
  return new ExhibitError(
    "unavailable.source",
    `The link sends on more than ${mostRedirects} times, to ${host} at last.`,
    {
      hint: "Ask the partner for a direct link.",
    },
  );
}

function compressed({ host }: URL, encoding: string): ExhibitError {
  return new ExhibitError(
    "policy.unsupported",
    `${host} sends the file compressed, which was not asked for.`,
    {
      hint: "What would be hashed is not the file. Ask the partner for it by another way; nothing was kept.",
      facts: { encoding: encoding.slice(0, 40) },
    },
  );
}

function changedBetween({ host }: URL): ExhibitError {
  return new ExhibitError(
    "integrity.source-changed",
    `The file at ${host} changed while it was fetched.`,
    {
      hint: "Nothing was kept. Run the same command again once nobody works on it any more.",
    },
  );
}

function endedEarly({ host }: URL): ExhibitError {
  return new ExhibitError("unavailable.source", `${host} sent fewer bytes than it had announced.`, {
    hint: "What has arrived is kept. Try again later.",
  });
}
