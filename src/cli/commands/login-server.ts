import { login } from "../../app/login.ts";
import { parseInvitationCode } from "../../evidence/invitation-code.ts";
import type { Client, Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import { readGiven, type Typed } from "../input.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { tellEnrolled } from "../login-kept.ts";
import { ask } from "../ui/prompt.ts";
import { spin } from "../ui/spinner.ts";

/** `exhibit login` at an exhibit server: enrols this machine with an invitation. */
export async function loginByInvitation(
  context: Context,
  typed: Typed,
  client: Client,
  at: { readonly store?: string },
): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const invitation = await readInvitation(context, typed);
  const { url } = await spin(terminal, json, "Enrolling this machine", () =>
    login(client, { ...at, invitation }, signal),
  );
  await tellEnrolled(context, typed, client, url, "enrolled");
}

async function readInvitation(context: Context, typed: Typed): Promise<string> {
  if (typed.options["inviteStdin"] === true) {
    const code = (await readGiven("-", context.terminal)).trim();
    if (code !== "") return code;
    throw new ExhibitError("usage.missing", "No invitation came on stdin.", {
      hint: "Pipe the code in: exhibit login URL --invite-stdin < invitation.txt",
    });
  }
  return ask(
    {
      message: "Invitation code:",
      flag: "--invite-stdin",
      secret: true,
      problem: (answer) => {
        try {
          parseInvitationCode(answer);
          return undefined;
        } catch (error) {
          return error instanceof ExhibitError
            ? `${error.message} ${error.hint ?? ""}`.trim()
            : String(error);
        }
      },
    },
    { ...context, json: wantsJson(typed) },
  );
}
