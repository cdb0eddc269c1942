import { connect } from "node:net";
import { request } from "undici";
import type { DoctorFinding } from "../../evidence/ports/doctor.ts";
import { formatDuration } from "../../evidence/quantities.ts";
import type { MachineNetwork } from "../network.ts";

const limitMs = 10_000;
/** S3 and Box refuse what is signed by a clock that is further off; exhibit servers are asked what time it is. */
const mostOffsetMs = 15 * 60_000;
const worthTellingMs = 30_000;

/** A store that is reached over the network. */
export interface Reachable {
  readonly name: string;
  /** What answers there: any answer will do. */
  readonly url: string;
  /** Signatures are made by this machine's clock alone. */
  readonly needsClock: boolean;
}

/** For each store: through which proxy, whether anything answers, and how far this machine's clock is from its. Signs in nowhere. */
export async function examineReach(
  { name, url, needsClock }: Reachable,
  network: MachineNetwork,
  signal: AbortSignal,
): Promise<DoctorFinding[]> {
  const { host } = new URL(url);
  const proxy = network.proxyFor(url);
  const way = proxy === undefined ? "without a proxy" : `through the proxy ${hostOf(proxy)}`;
  const found: DoctorFinding[] = [];
  if (proxy !== undefined && !(await accepts(proxy))) {
    return [
      {
        id: `proxy ${name}`,
        verdict: "will-not-work",
        words: `nothing listens at the proxy ${hostOf(proxy)}`,
        remedy: `Correct HTTPS_PROXY, or name ${host} in NO_PROXY if it needs no proxy.`,
        code: "unavailable.store",
      },
    ];
  }
  const asked = Date.now();
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher: network.route(url).dispatcher,
      method: "GET",
      signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
      headers: { "user-agent": "exhibit" },
    });
    const answered = Date.now();
    await body.dump();
    found.push({
      id: `reach ${name}`,
      verdict: "ok",
      words: `${host} answers in ${answered - asked} ms, ${way} (status ${statusCode})`,
    });
    found.push(clockFinding(name, headers["date"], (asked + answered) / 2, needsClock));
  } catch (error) {
    signal.throwIfAborted();
    found.push({
      id: `reach ${name}`,
      verdict: "will-not-work",
      words: `${host} does not answer, ${way} (${causeOf(error)})`,
      remedy:
        "Check the address, the network, HTTPS_PROXY and NO_PROXY; for a certificate of your organisation's own give --ca-file.",
      code: "unavailable.store",
    });
  }
  return found;
}

function clockFinding(
  name: string,
  date: string | string[] | undefined,
  at: number,
  needsClock: boolean,
): DoctorFinding {
  const id = `clock ${name}`;
  const theirs = Date.parse(String(date));
  if (Number.isNaN(theirs)) return { id, verdict: "unknown", words: "its clock was not told" };
  const offsetMs = Math.round(at - theirs);
  // The header has no fractions of a second.
  const isRight = Math.abs(offsetMs) < worthTellingMs;
  const words = isRight
    ? "this computer's clock is right, to some seconds"
    : `this computer's clock is ${formatDuration(Math.round(Math.abs(offsetMs) / 1000))} ${offsetMs > 0 ? "ahead" : "behind"}`;
  const remedy = isRight ? undefined : "Set this computer's clock, best from the network (NTP).";
  if (Math.abs(offsetMs) <= mostOffsetMs || !needsClock)
    return { id, verdict: "ok", words, remedy };
  return { id, verdict: "will-not-work", words, remedy, code: "auth.clock-wrong" };
}

/** A proxy's address may hold a password: only its host is told. */
function hostOf(proxy: string): string {
  return URL.canParse(proxy) ? new URL(proxy).host : "that HTTPS_PROXY names, which is no URL";
}

function accepts(proxy: string): Promise<boolean> {
  if (!URL.canParse(proxy)) return Promise.resolve(false);
  const { hostname, port, protocol } = new URL(proxy);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port === "" ? (protocol === "https:" ? 443 : 80) : port),
    });
    const end = (isFine: boolean): void => {
      socket.destroy();
      resolve(isFine);
    };
    socket.setTimeout(limitMs, () => {
      end(false);
    });
    socket.once("connect", () => {
      end(true);
    });
    socket.once("error", () => {
      end(false);
    });
  });
}

function causeOf(error: unknown): string {
  const { code, cause, name } = error as {
    code?: string;
    cause?: { code?: string };
    name?: string;
  };
  return cause?.code ?? code ?? name ?? "unknown";
}
