import { Option, type Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

/** Shares: one named recipient, one link, one code. */
export function declareSharing(program: Command, context: Context, outcome: Outcome): void {
  const share = noun(
    program,
    "share",
    "Sharing:",
    "share exhibits with named people, and cut them off",
  );
  runs(
    "store",
    share
      .command("create")
      .summary("share exhibits with one named person")
      .description(
        "Shares exhibits with one named person and prints a link and, apart from it, an access code. Nothing is sent to " +
          "anyone, unless the exhibit server can send mail (--smtp-url): then the link goes to the recipient's address, and codes " +
          "follow when the page is opened. Name and address keep off the command line with --recipient, or are asked for at a terminal.",
      )
      .argument("<exhibits...>", "CASE:ABC/1, or ids")
      .option("--to <name>", "recipient's name")
      .option("--email <address>", "recipient's e-mail address")
      .option(
        "--recipient <file>",
        'read the recipient from a file, or - for stdin: {"name":…,"email":…} or Name <address>',
      )
      .option("--expires <duration>", "how long it works: 12h, 7d")
      .addOption(
        new Option(
          "--access <kind>",
          "view: watermarked copies only; original: the unaltered files",
        )
          .choices(["view", "original"])
          .default("view"),
      )
      .option("--purpose <text>", "why it is shared; kept in the log")
      .addOption(
        new Option(
          "--link <reach>",
          "in Box, who can open the link: whoever has it and the code, the organisation, or only who is invited (default: the narrowest that reaches the recipient)",
        ).choices(["open", "company", "collaborators"]),
      )
      .option(
        "--require-visible-mark",
        "refuse files whose copies may carry no mark that can be seen, before anything is made",
      )
      .option("--no-mail", "send nothing, also where the server could: you hand link and code over")
      .option("--no-notes", "the recipient can leave no notes on what they see"),
    context,
    outcome,
    async () => (await import("./commands/share-create.ts")).run,
  );
  runs(
    "store",
    share
      .command("list")
      .summary("list shares")
      .description(
        "Lists your shares; an admin sees everybody's. In a store in Box it also deletes the copies of your shares that have ended.",
      )
      .option("--of <identity>", "only those of this identity (admin)"),
    context,
    outcome,
    async () => (await import("./commands/share-list.ts")).run,
  );
  runs(
    "store",
    share
      .command("show")
      .summary("show a share")
      .description("Shows a share; never its link or code, which are kept nowhere.")
      .argument("<share>", "the share's id"),
    context,
    outcome,
    async () => (await import("./commands/share-show.ts")).run,
  );
  runs(
    "store",
    share
      .command("log")
      .summary("show every access to a share")
      .description(
        "Shows every access to a share: who, when, from where, what. Mail scanners are kept apart.",
      )
      .argument("<share>", "the share's id"),
    context,
    outcome,
    async () => (await import("./commands/share-log.ts")).run,
  );
  runs(
    "store",
    share
      .command("update")
      .summary("give a share another end")
      .description("Gives a share another end, counted from now. Its link and code stay.")
      .argument("<share>", "the share's id")
      .option("--expires <duration>", "how long it works from now on: 12h, 7d"),
    context,
    outcome,
    async () => (await import("./commands/share-update.ts")).run,
  );
  runs(
    "store",
    share
      .command("reassign")
      .summary("hand a share to another officer (admin)")
      .description(
        "Hands a share to another officer, as when its own has left. Link, code and end stay; the custody log of each exhibit says who had it.",
      )
      .argument("<share>", "the share's id")
      .requiredOption(
        "--to <identity>",
        "the officer's identity, as exhibit identity report shows",
      ),
    context,
    outcome,
    async () => (await import("./commands/share-reassign.ts")).run,
  );
  runs(
    "store",
    share
      .command("renew")
      .summary("replace a lost link and code")
      .description(
        "Gives a share a new link and code: same recipient, same end, same log. The old ones open nothing from that moment, and what is " +
          "being watched through them stops within seconds. Mailed where the first one was, else printed for you to hand over.",
      )
      .argument("<share>", "the share's id")
      .option(
        "--mail",
        "mail the link, and codes on request, also where you handed them over before",
      )
      .option(
        "--no-mail",
        "send nothing, also where the server could: you hand link and code over",
      ),
    context,
    outcome,
    async () => (await import("./commands/share-renew.ts")).run,
  );
  runs(
    "store",
    share
      .command("revoke")
      .summary("cut a share off, at once")
      .description(
        "Cuts a share off, or takes one exhibit out of it. Never asks; repeating it succeeds. Copies that were downloaded cannot be recalled.",
      )
      .argument("<share>", "the share's id")
      .option("--exhibit <exhibit>", "take only this exhibit out of the share"),
    context,
    outcome,
    async () => (await import("./commands/share-revoke.ts")).run,
  );
}
