import { z } from "zod";
import { createShare } from "../../app/share-create.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { parseDuration } from "../../evidence/quantities.ts";
import {
  accessSchema,
  linkReachSchema,
  recipientSchema,
  type Recipient,
} from "../../evidence/share.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { checkedFlag, parseOptions, problemWith, readGiven, type Typed } from "../input.ts";
import { ask, type AskOptions } from "../ui/prompt.ts";
import { handOverLines } from "../ui/hand-over-lines.ts";
import { note, printResult, warn } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";
import { themeFor } from "../ui/theme.ts";

const optionsSchema = z.object({
  to: z.string().optional(),
  email: z.string().optional(),
  recipient: z.string().optional(),
  expires: z.string().optional(),
  access: accessSchema,
  purpose: z
    .string()
    .trim()
    .min(1, "must not be empty")
    .max(500, "must have at most 500 characters")
    .optional(),
  link: linkReachSchema.optional(),
  requireVisibleMark: z.literal(true).optional(),
  // Commander makes these of --no-mail and --no-notes.
  mail: z.boolean(),
  notes: z.boolean(),
});
type Options = z.infer<typeof optionsSchema>;

/** `exhibit share create EXHIBIT...`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const options = parseOptions(optionsSchema, typed);
  const asking = { terminal, signal, json };
  // A wrong duration is told before anyone is asked for names.
  const expires =
    options.expires === undefined ? undefined : parseDuration(options.expires, "--expires");
  const recipient = await recipientOf(context, options, asking);
  const expiresInSeconds = expires ?? (await askExpiry(asking));
  const { purpose, access, link: reach, requireVisibleMark, mail, notes } = options;
  const created = await withClient(context, typed, (client, settings) => {
    const request = {
      ...atStore(settings),
      exhibits: typed.args[0] as readonly string[],
      recipient,
      access,
      expiresInSeconds,
      mail,
      notes,
      ...(purpose === undefined ? {} : { purpose }),
      ...(reach === undefined ? {} : { link: reach }),
      ...(requireVisibleMark === undefined ? {} : { requireVisibleMark }),
    };
    return spin(terminal, json, "Preparing the share", () => createShare(client, request, signal));
  });
  const { link, furtherLinks = [], warnings } = created;
  printResult(terminal, json, { schema: "exhibit.share-created/1", ...created }, () => [
    link,
    ...furtherLinks,
  ]);
  for (const warning of warnings) if (!json) warn(terminal, warning);
  note(terminal, json, ...handOverLines(created, themeFor(terminal.color)));
}

async function recipientOf(
  { terminal }: Context,
  options: Options,
  asking: AskOptions,
): Promise<Recipient> {
  if (options.recipient !== undefined) {
    if (options.to !== undefined || options.email !== undefined) {
      throw new ExhibitError(
        "usage.invalid",
        "--recipient already gives name and address; leave out --to and --email.",
      );
    }
    return parseRecipient(await readGiven(options.recipient, terminal));
  }
  const { name, email } = recipientSchema.shape;
  return {
    name:
      options.to === undefined
        ? await ask(
            {
              message: "Recipient's name:",
              flag: "--to (or --recipient)",
              problem: problemWith(name),
            },
            asking,
          )
        : checkedFlag(name, options.to, "--to"),
    email:
      options.email === undefined
        ? await ask(
            {
              message: "Recipient's e-mail address:",
              flag: "--email (or --recipient)",
              problem: (answer) =>
                email.safeParse(answer.trim()).success
                  ? undefined
                  : "This is not an e-mail address.",
            },
            asking,
          )
        : checkedEmail(options.email, "--email"),
  };
}

async function askExpiry(asking: AskOptions): Promise<number> {
  const answer = await ask(
    {
      message: "How long may it be opened? (12h, 7d)",
      flag: "--expires",
      suggestion: "7d",
      problem: (text) => {
        try {
          parseDuration(text, "This");
          return undefined;
        } catch (error) {
          return error instanceof ExhibitError ? error.message : String(error);
        }
      },
    },
    asking,
  );
  return parseDuration(answer, "--expires");
}

/** A recipient as JSON, or as `Name <address>`. Nothing of it stands in the error: it is a person's name. */
function parseRecipient(text: string): Recipient {
  const line = /^\s*(\S[^<>{}]*?)\s*<([^<>\s]+)>\s*$/.exec(text);
  const given: unknown =
    line === null ? parseJson(text) : { name: line[1] ?? "", email: line[2] ?? "" };
  const parsed = recipientSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ExhibitError("usage.invalid", "--recipient does not hold one recipient.", {
    hint: 'Write {"name":"…","email":"…"} or Name <address>, and nothing else.',
  });
}

function checkedEmail(value: string, flag: string): string {
  const parsed = recipientSchema.shape.email.safeParse(value.trim());
  if (parsed.success) return parsed.data;
  throw new ExhibitError("usage.invalid", `${flag} is not an e-mail address.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
