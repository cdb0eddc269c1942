import { Option, type Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

const group = "People and machines:";

/** Signing in, inviting, revoking. */
export function declarePeople(program: Command, context: Context, outcome: Outcome): void {
  declareLogin(program, context, outcome);
  runs(
    "store",
    program
      .command("logout")
      .helpGroup(group)
      .summary("take this machine's enrolment or login back")
      .description(
        "Deletes this machine's enrolment at the server and its key here, or ends its login at Box. What it sent stays. Exit code 3 where the login could only be forgotten here.",
      )
      .argument("[store]", "configured store, or its URL (default: the default store)"),
    context,
    outcome,
    async () => (await import("./commands/logout.ts")).run,
  );
  runs(
    "store",
    program
      .command("whoami")
      .helpGroup(group)
      .summary("show who this machine is to a store")
      .description("Shows who this machine is to a store, and where its keys are kept."),
    context,
    outcome,
    async () => (await import("./commands/whoami.ts")).run,
  );
  declareInvite(program, context, outcome);
  declareIdentity(program, context, outcome);
}

function declareIdentity(program: Command, context: Context, outcome: Outcome): void {
  const identity = noun(
    program,
    "identity",
    group,
    "list, enrol or revoke people and machines (admin)",
  );
  runs(
    "store",
    identity
      .command("list")
      .summary("list everyone enrolled at the server")
      .description("Lists everyone enrolled at the server."),
    context,
    outcome,
    async () => (await import("./commands/identity-list.ts")).run,
  );
  runs(
    "store",
    identity
      .command("report")
      .summary("show who is enrolled, by what way, and what they left open")
      .description(
        "Shows everyone who is enrolled: by what way, role, organisation, when last seen, how much was sent, and how many shares are open. Of who is gone or dormant and has open shares it says how to hand them on.",
      )
      .option("--dormant <duration>", "who was not seen for this long is dormant", "90d"),
    context,
    outcome,
    async () => (await import("./commands/identity-report.ts")).run,
  );
  runs(
    "store",
    identity
      .command("enrol")
      .summary("enrol a key that was made on another machine")
      .description(
        "Enrols a key that was made on another machine with exhibit key create, by its public half. That machine then signs in without an invitation.",
      )
      .argument("<file>", "the public half, FILE.pub (- is stdin)")
      .addOption(
        new Option("--role <role>", "what it may do").choices(["admin", "officer", "partner"]),
      )
      .option("--org <name>", "organisation it belongs to")
      .option("--quota <size>", "how much it may send in all, such as 200G"),
    context,
    outcome,
    async () => (await import("./commands/identity-enrol.ts")).run,
  );
  runs(
    "store",
    identity
      .command("restore")
      .summary("let an officer in again")
      .description(
        "Lets in again who signs in by the force's sign-in service and was revoked here. Others get a new invitation.",
      )
      .argument("<identity>", "the identity's id"),
    context,
    outcome,
    async () => (await import("./commands/identity-restore.ts")).run,
  );
  runs(
    "store",
    identity
      .command("revoke")
      .summary("shut an identity out")
      .description("Shuts an identity out from its next request on. What it sent stays.")
      .argument("<identity>", "the identity's id"),
    context,
    outcome,
    async () => (await import("./commands/identity-revoke.ts")).run,
  );
}

function declareLogin(program: Command, context: Context, outcome: Outcome): void {
  runs(
    "store",
    program
      .command("login")
      .helpGroup(group)
      .summary("sign in at a server by the force's sign-in or an invitation, or at Box")
      .description(
        "Signs in at an exhibit server: an officer on the page of the force's sign-in service, which opens in the browser, or whoever has an invitation: from then on this machine's key, kept in the keychain, is its sign-in, and there is no password. Or signs in at Box: a person on Box's page, an unattended job with --box-jwt or --box-ccg. Asks for what is missing at a terminal.",
      )
      .argument("[store]", "configured store, or its URL (default: the default store)")
      .option("--invite", "server: ask for an invitation, also where officers sign in otherwise")
      .option("--invite-stdin", "server: read the invitation from stdin")
      .option(
        "--server-key <thumbprint>",
        "server: the key that it must have, as its administrator gave it to you",
      )
      .option(
        "--device",
        "server: sign in with a code on another device, where the force allows it",
      )
      .option("--client-id <id>", "Box: the application's client id")
      .option("--secret-stdin", "Box: read the application's client secret from stdin")
      .option("--no-browser", "only print the address of the sign-in page, and open no browser")
      .option("--box-jwt <file>", "Box: sign a job in with the application's key (- is stdin)")
      .option("--box-user <id>", "Box: user that the job with that key acts as")
      .option(
        "--box-ccg <subject>",
        "Box: sign a job in by client credentials, as enterprise:ID or user:ID",
      ),
    context,
    outcome,
    async () => (await import("./commands/login.ts")).run,
  );
}

function declareInvite(program: Command, context: Context, outcome: Outcome): void {
  const invite = noun(program, "invite", group, "invite people and machines (admin)");
  runs(
    "store",
    invite
      .command("create")
      .summary("make an invitation for one person or machine")
      .description(
        "Makes an invitation for one person, partner or machine, and prints its code, this once. Pass it on by a safe way: whoever has it can enrol in that name.",
      )
      .addOption(
        new Option("--role <role>", "what they may do").choices(["admin", "officer", "partner"]),
      )
      .option("--org <name>", "organisation they belong to")
      .option("--expires <duration>", "how long the invitation works", "14d")
      .option("--quota <size>", "how much they may send in all, such as 200G"),
    context,
    outcome,
    async () => (await import("./commands/invite-create.ts")).run,
  );
  runs(
    "store",
    invite
      .command("list")
      .summary("list invitations")
      .description("Lists the server's invitations, never their codes."),
    context,
    outcome,
    async () => (await import("./commands/invite-list.ts")).run,
  );
  runs(
    "store",
    invite
      .command("revoke")
      .summary("make an invitation worthless")
      .description("Makes an invitation worthless. Who has used it stays enrolled.")
      .argument("<invitation>", "the invitation's id"),
    context,
    outcome,
    async () => (await import("./commands/invite-revoke.ts")).run,
  );
}
