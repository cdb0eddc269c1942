import { randomInt } from "node:crypto";
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { z } from "zod";
import type { SampledExhibit } from "../app/verify-sample.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { unwritable } from "./report-file.ts";

const headSchema = z.strictObject({
  schema: z.literal("exhibit.verify-sample-report/1"),
  store: z.string(),
  case: z.string().optional(),
  percent: z.number(),
  seed: z.number(),
});

const lineSchema = z.object({
  id: z.string(),
  case: z.string(),
  reference: z.string(),
  files: z.number(),
  bytes: z.number(),
  checkedAt: z.string(),
  failed: z.array(
    z.object({
      path: z.string(),
      code: z.string(),
      message: z.string(),
      hint: z.string().optional(),
    }),
  ),
});

/** The first line of a report, which later runs must agree with. */
type Head = z.infer<typeof headSchema>;

/** What is being sampled; without a seed, the report's own, or one of chance. */
export type Sampling = Omit<Head, "schema" | "seed"> & { readonly seed: number | undefined };

/** A seed that nobody chose. */
export function seedOfChance(): number {
  return randomInt(2 ** 32);
}

/** A file that tells what was found of each exhibit of a sample, and from which a run that was broken off goes on. */
export interface SampleReport {
  readonly seed: number;
  readonly found: ReadonlyMap<string, SampledExhibit>;
  readonly onChecked: (exhibit: SampledExhibit) => void;
  close(): void;
}

/**
 * Opens a report, or begins it. Each line is written as soon as it is known; one that a killed run left half-written is taken
 * away, and its exhibit is checked again. Readable by this user only.
 *
 * @throws ExhibitError `conflict.exists` when the file is something else or of another sample; `usage.invalid` when it cannot be
 * written there; `unavailable.no-space`
 */
export function openSampleReport(file: string, sampling: Sampling): SampleReport {
  const write = <Result>(act: () => Result): Result => {
    try {
      return act();
    } catch (cause) {
      throw unwritable(file, cause);
    }
  };
  const handle = write(() => openSync(file, "a+", 0o600));
  try {
    const text = readFileSync(handle, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const [first, ...lines] = whole.split("\n").slice(0, -1);
    // A line without an end is what a killed run left, unless there is nothing before it: then it may be anything.
    if (first === undefined && text !== "") throw another(file);
    const head = first === undefined ? begun(sampling) : sameHead(file, first, sampling);
    const found = lines.map((line) => foundIn(file, line));
    write(() => {
      ftruncateSync(handle, Buffer.byteLength(whole));
      if (first === undefined) writeSync(handle, `${JSON.stringify(head)}\n`);
    });
    return {
      seed: head.seed,
      found: new Map(found.map((one) => [one.id, one])),
      onChecked: (exhibit) => {
        write(() => writeSync(handle, `${JSON.stringify(exhibit)}\n`));
      },
      close: () => {
        try {
          write(() => {
            fsyncSync(handle);
          });
        } finally {
          closeSync(handle);
        }
      },
    };
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

function begun(sampling: Sampling): Head {
  return {
    schema: "exhibit.verify-sample-report/1",
    ...sampling,
    seed: sampling.seed ?? seedOfChance(),
  };
}

function sameHead(file: string, line: string, sampling: Sampling): Head {
  const { success, data } = headSchema.safeParse(parsed(line));
  if (!success) throw another(file);
  const wanted = { ...sampling, seed: sampling.seed ?? data.seed };
  const differs = (["store", "case", "percent", "seed"] as const).find(
    (name) => data[name] !== wanted[name],
  );
  if (differs === undefined) return data;
  throw new ExhibitError("conflict.exists", `${file} is the report of another sample.`, {
    hint: "Give the same store, --case, --sample and --seed to go on with it, or another file to --report.",
    facts: { differs },
  });
}

function foundIn(file: string, line: string): SampledExhibit {
  const { success, data } = lineSchema.safeParse(parsed(line));
  if (!success) throw another(file);
  return data as SampledExhibit;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function another(file: string): ExhibitError {
  return new ExhibitError("conflict.exists", `${file} is there already and is no such report.`, {
    hint: "Give another file to --report. Nothing in it was changed.",
  });
}
