import { z } from "zod";
import type { UploadRequest } from "../app/upload.ts";
import { exhibitIdSchema } from "../evidence/address.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { initialsSchema, referenceSchema } from "../evidence/reference.ts";
import { checkedFlag, missing } from "./input.ts";
import { instantOf, requireTimeZone } from "../evidence/wall-clock.ts";

type RecordFields = Pick<
  UploadRequest,
  | "reference"
  | "initials"
  | "sourceId"
  | "producer"
  | "oic"
  | "source"
  | "recorded"
  | "clockOffset"
  | "supersedes"
>;

const line = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(2000, "must have at most 2000 characters");
const offset = z
  .string()
  .regex(/^[+-]?\d{1,9}(?:\.\d{1,3})?$/, "must be a number of seconds, such as 12.5 or -40")
  .transform(Number);

/** What the flags of `upload` say for the record. @throws ExhibitError `usage.*`, naming the flag */
export function recordFields(options: Readonly<Record<string, unknown>>): RecordFields {
  const text = (name: string, flag: string): string | undefined =>
    options[name] === undefined ? undefined : checkedFlag(line, options[name], flag);
  const [reference, initials] = [options["ref"], options["initials"]];
  const sourceId = options["sourceId"] as string | undefined;
  const producer = text("producer", "--producer");
  const oic = text("oic", "--oic");
  const source = present({
    camera: text("camera", "--camera"),
    recorder: text("recorder", "--recorder"),
    system: text("system", "--system"),
  });
  const supersedes = options["supersedes"] as readonly string[] | undefined;
  return {
    ...(reference === undefined
      ? {}
      : { reference: checkedFlag(referenceSchema, reference, "--ref") }),
    ...(initials === undefined
      ? {}
      : { initials: checkedFlag(initialsSchema, initials, "--initials") }),
    ...(sourceId === undefined ? {} : { sourceId }),
    ...(producer === undefined ? {} : { producer }),
    ...(oic === undefined ? {} : { oic }),
    ...(Object.keys(source).length === 0 ? {} : { source }),
    ...recorded(options),
    ...clockOffset(options),
    ...(supersedes === undefined
      ? {}
      : {
          supersedes: supersedes.map((id) =>
            checkedFlag(
              exhibitIdSchema,
              id,
              "--supersedes takes the exhibit's id (exhibit show prints it) and",
            ),
          ),
        }),
  };
}

function recorded(options: Readonly<Record<string, unknown>>): Pick<RecordFields, "recorded"> {
  const from = options["recordedFrom"] as string | undefined;
  const to = options["recordedTo"] as string | undefined;
  const timeZone = options["timeZone"] as string | undefined;
  if (from === undefined && to === undefined && timeZone === undefined) return {};
  if (timeZone === undefined) {
    throw new ExhibitError("usage.missing", "A recording's times need the zone that they are in.", {
      hint: "Add --time-zone, for example --time-zone Europe/London.",
    });
  }
  requireTimeZone(timeZone);
  const times = present({
    from: from === undefined ? undefined : instantOf(from, timeZone, "--recorded-from"),
    to: to === undefined ? undefined : instantOf(to, timeZone, "--recorded-to"),
  });
  if (
    times.from !== undefined &&
    times.to !== undefined &&
    Date.parse(times.to) < Date.parse(times.from)
  ) {
    throw new ExhibitError("usage.invalid", "--recorded-to is before --recorded-from.");
  }
  return { recorded: { ...times, timeZone } };
}

function clockOffset(
  options: Readonly<Record<string, unknown>>,
): Pick<RecordFields, "clockOffset"> {
  const seconds = options["clockOffset"];
  const measuredBy = options["clockMeasuredBy"];
  if (seconds === undefined && measuredBy === undefined) return {};
  if (seconds === undefined) throw missing("--clock-offset, which goes with --clock-measured-by,");
  if (measuredBy === undefined)
    throw missing("--clock-measured-by, which goes with --clock-offset,");
  return {
    clockOffset: {
      seconds: checkedFlag(offset, seconds, "--clock-offset"),
      measuredBy: checkedFlag(line, measuredBy, "--clock-measured-by"),
    },
  };
}

type Present<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without the members that nobody gave. */
function present<Fields extends Record<string, string | undefined>>(
  fields: Fields,
): Present<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Present<Fields>;
}
