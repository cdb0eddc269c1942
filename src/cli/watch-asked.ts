import path from "node:path";
import { caseFrom } from "../app/watch/case-from.ts";
import type { WatchRequest } from "../app/watch/watch-folder.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { requireTimeZone } from "../evidence/wall-clock.ts";
import type { Context, Settings } from "./context.ts";
import { mappedColumns } from "./csv-asked.ts";
import type { Typed } from "./input.ts";
import { askedFor, withSettings, type Asked } from "./upload-asked.ts";

/** A file that is written to, or waits for its sidecar, for longer is told of. */
const patienceMs = 600_000;

/** What is asked of a watch, but for what the settings say. */
export interface WatchAsked extends Omit<WatchRequest, "asked"> {
  readonly asked: Asked;
}

/** What `watch` asks for, all of it checked before the first look. @throws ExhibitError `usage.*` */
export async function watchAsked(context: Context, typed: Typed): Promise<WatchAsked> {
  const { args, options } = typed;
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const folder = path.resolve(args[0] as string);
  const { timeZone, ...others } = options;
  const zone = (timeZone as string | undefined) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  requireTimeZone(zone);
  const pattern = text("caseFrom");
  const asked = await askedFor(
    context,
    { args, options: others },
    { paths: [folder], case: text("case"), title: text("title") },
  );
  const sidecar = text("sidecar") as WatchRequest["sidecar"];
  if (sidecar === "none" && pattern === undefined && asked.case === undefined) {
    throw new ExhibitError("usage.missing", "Nothing would say which case the files belong to.", {
      hint: "Give --case, --case-from, or --sidecar json or csv.",
    });
  }
  const settleMs = secondsOf(options, "settle") * 1000;
  return {
    folder,
    asked,
    sidecar,
    columns: mappedColumns((options["map"] ?? []) as readonly string[]),
    timeZone: zone,
    saidByPath: pattern === undefined ? () => undefined : caseFrom(pattern),
    settleMs,
    pollMs: secondsOf(options, "poll") * 1000,
    patienceMs: Math.max(patienceMs, settleMs * 10),
    moveTo: movedTo(text("after"), folder),
    once: options["once"] === true,
  };
}

/** The request, with what the settings say of every file. */
export function watchRequest({ asked, ...watch }: WatchAsked, settings: Settings): WatchRequest {
  return { ...watch, asked: withSettings(asked, settings) };
}

function secondsOf(options: Typed["options"], name: "settle" | "poll"): number {
  const seconds = Number(options[name]);
  if (seconds >= 0.1 && seconds <= 86_400) return seconds;
  throw new ExhibitError("usage.invalid", `--${name} must be a number of seconds, 0.1 at least.`);
}

function movedTo(action: string | undefined, folder: string): string | undefined {
  if (action === undefined) return undefined;
  const [, target] = /^move=(.+)$/.exec(action) ?? [];
  if (target === undefined) {
    throw new ExhibitError("usage.invalid", `--after cannot be understood: "${action}".`, {
      hint: "Write --after move=DIR.",
    });
  }
  const place = path.resolve(target);
  const below = path.relative(folder, place);
  if (!below.startsWith("..") && !path.isAbsolute(below)) {
    throw new ExhibitError("usage.invalid", "--after would move files within the watched folder.", {
      hint: "Name a folder beside it: what lies in it is taken as evidence.",
    });
  }
  return place;
}
