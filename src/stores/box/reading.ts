import { addAbortSignal, Readable } from "node:stream";
import type { ByteRange } from "../../evidence/ports/store.ts";
import { exactly, isRange, nonsense, noSuchRange, nothingThere } from "../exact-bytes.ts";
import type { BoxApi } from "./api.ts";
import { failureOf } from "./failures.ts";
import { waited } from "./calm.ts";

/** Box says when to come back for what was uploaded just now. */
const mostTries = 60;

/**
 * The bytes of a file or of a range of it, exactly as many as asked for or promised: a stream that ends early fails. Box sends us to
 * another host for them, which our token does not go to.
 *
 * @throws ExhibitError `not-found.content`, `usage.invalid` for a range that is not there, `unavailable.*`
 */
export async function readFile(
  api: BoxApi,
  fileId: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  if (range !== undefined && !isRange(range)) throw noSuchRange(range);
  const headers =
    range === undefined
      ? {}
      : { range: `bytes=${range.start}-${Math.max(range.start, range.end - 1)}` };
  const answer = await whenReady(api, { to: `/2.0/files/${fileId}/content`, headers }, signal);
  const length = Number(answer.headers["content-length"]);
  const end = range === undefined ? length : range.end - range.start;
  const isRight =
    range === undefined
      ? answer.status === 200 && Number.isSafeInteger(length)
      : answer.status === 206 &&
        (answer.headers["content-range"] ?? "").startsWith(
          `bytes ${range.start}-${range.end - 1}/`,
        );
  if (!isRight) {
    answer.body.destroy();
    if (answer.status === 404) throw nothingThere();
    if (range !== undefined && (answer.status === 416 || answer.status === 206))
      throw noSuchRange(range);
    throw answer.status < 300 ? nonsense() : failureOf({ ...answer, body: undefined });
  }
  const bytes = Readable.from(exactly(answer.body, end, api.address.api, signal), {
    objectMode: false,
  });
  bytes.once("close", () => {
    answer.body.destroy();
  });
  return addAbortSignal(signal, bytes);
}

async function whenReady(
  api: BoxApi,
  call: Parameters<BoxApi["stream"]>[0],
  signal: AbortSignal,
): ReturnType<BoxApi["stream"]> {
  for (let tries = 1; ; tries += 1) {
    const answer = await api.stream(call, signal);
    if (answer.status !== 202 || tries === mostTries) return answer;
    answer.body.destroy();
    await waited(secondsIn(answer.headers, 1) * 1000, signal);
  }
}

/** What `Retry-After` asks for, in seconds; `usual` where it does not say. */
export function secondsIn(headers: Readonly<Record<string, string>>, usual: number): number {
  const asked = Number(headers["retry-after"]);
  return Number.isFinite(asked) && asked > 0 ? Math.min(asked, 60) : usual;
}
