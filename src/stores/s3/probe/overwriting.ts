import type { Outcome, StoreFinding } from "../../../evidence/ports/store-probe.ts";
import { failureOf } from "../failures.ts";
import { isDone } from "./done.ts";
import { isFine, refusalOf } from "./reaction.ts";
import type { Scratch } from "./scratch.ts";

const first = Buffer.from("first");
const second = Buffer.from("second");
const onlyNew = { "if-none-match": "*" };
/** Each way has its race: a look before the write passes all other tests. */
const racers = 8;
/** A race may end well by chance, several in a row on a busy machine where requests come in turn. The first that does not decides. */
const races = 12;

export interface OverwritingFound {
  readonly noOverwritePut: boolean;
  readonly noOverwriteComplete: boolean;
  readonly findings: readonly StoreFinding[];
}

/** Whether the store itself refuses to write a key that exists, on each of the two ways there, and under a race. */
export async function checkOverwriting(
  scratch: Scratch,
  mayComplete: boolean,
): Promise<OverwritingFound> {
  const put = await onPut(scratch);
  const puts = put === "enforced" ? await inEachRace(putsAtOnce, scratch) : "untested";
  const complete = mayComplete ? await onComplete(scratch) : "untested";
  const completes =
    complete === "enforced" ? await inEachRace(completesAtOnce, scratch) : "untested";
  return {
    noOverwritePut: puts === "enforced",
    noOverwriteComplete: completes === "enforced",
    findings: [
      finding("no-overwrite-put", "No overwriting by PUT (If-None-Match: *)", put),
      finding("no-overwrite-puts", `The same, by ${racers} at once`, puts),
      finding("no-overwrite-complete", "No overwriting by CompleteMultipartUpload", complete),
      finding("no-overwrite-completes", `The same, by ${racers} at once`, completes),
    ],
  };
}

async function onPut(scratch: Scratch): Promise<Outcome> {
  const key = scratch.key("once");
  const control = await scratch.put(key, first, { headers: onlyNew });
  if (!isFine(control)) return refusalOf(control);
  const again = await scratch.put(key, second, { headers: onlyNew });
  return isFine(again) ? "ignored" : stillFirst(scratch, key);
}

/** Enforced is what held in each race; `winners` runs one for a key and counts who was told to have won. */
async function inEachRace(
  winners: (scratch: Scratch, key: string) => Promise<number>,
  scratch: Scratch,
): Promise<Outcome> {
  for (let race = 1; race <= races; race += 1) {
    if ((await winners(scratch, scratch.key(`race-${winners.name}-${race}`))) !== 1) {
      return "ignored";
    }
  }
  return "enforced";
}

async function putsAtOnce(scratch: Scratch, key: string): Promise<number> {
  const answers = await Promise.all(
    racingBodies().map((body) => scratch.put(key, body, { headers: onlyNew })),
  );
  return answers.filter(isFine).length;
}

async function completesAtOnce(scratch: Scratch, key: string): Promise<number> {
  const ready = await Promise.all(
    racingBodies().map(async (body) => {
      const uploadId = await scratch.begin(key);
      const part = await scratch.putPart(key, uploadId, body);
      if (!isFine(part)) throw failureOf(part);
      return { uploadId, etag: part.headers["etag"] ?? "" };
    }),
  );
  const answers = await Promise.all(
    ready.map(({ uploadId, etag }) => scratch.complete(key, uploadId, etag, onlyNew)),
  );
  return answers.filter(isDone).length;
}

function racingBodies(): Buffer[] {
  return Array.from({ length: racers }, (_, racer) => Buffer.from(`racer ${racer}`));
}

async function onComplete(scratch: Scratch): Promise<Outcome> {
  const fresh = scratch.key("complete-new");
  const control = await scratch.storeInParts(fresh, first, { complete: onlyNew });
  if (!isDone(control)) return refusalOf(control);
  const key = scratch.key("complete-once");
  const there = await scratch.put(key, first);
  if (!isFine(there)) throw failureOf(there);
  const again = await scratch.storeInParts(key, second, { complete: onlyNew });
  return isDone(again) ? "ignored" : stillFirst(scratch, key);
}

/** A refusal counts when the content is what it was. */
async function stillFirst(scratch: Scratch, key: string): Promise<Outcome> {
  const { body } = await scratch.send({ method: "GET", key });
  return body.equals(first) ? "enforced" : "ignored";
}

function finding(id: string, what: string, outcome: Outcome): StoreFinding {
  return { id, what, outcome, detail: undefined };
}
