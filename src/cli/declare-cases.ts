import type { Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

const group = "Evidence:";

/** Cases: what is in them, which ones an officer follows, and what has landed. */
export function declareCases(program: Command, context: Context, outcome: Outcome): void {
  const cases = noun(program, "case", group, "look at a case, and follow it");
  runs(
    "store",
    cases
      .command("show")
      .summary("show a case: exhibits, shares, who has looked")
      .description(
        "Shows a case at a glance: its exhibits with who sent them and when, uploads that are not finished, and your shares of them (an " +
          "administrator's: all) with whether the recipient has looked.",
      )
      .argument("<case>", "URN, crime or CAD reference")
      .option(
        "--hearing <date>",
        "mark what ends before this day, or time: shares, retention, unfinished uploads",
      ),
    context,
    outcome,
    async () => (await import("./commands/case-show.ts")).run,
  );
  runs(
    "store",
    cases
      .command("list")
      .summary("list your cases")
      .description(
        "Lists the cases whose arrivals exhibit inbox tells you: those you follow, and those in which you have sent or shared something.",
      ),
    context,
    outcome,
    async () => (await import("./commands/case-list.ts")).run,
  );
  runs(
    "store",
    cases
      .command("follow")
      .summary("be told by exhibit inbox what lands in a case")
      .description("Makes a case one of yours, there already or not. The server keeps it.")
      .argument("<case>", "URN, crime or CAD reference"),
    context,
    outcome,
    async () => (await import("./commands/case-follow.ts")).run,
  );
  runs(
    "store",
    cases
      .command("unfollow")
      .summary("be told of a case no more")
      .description("Takes a case from yours, also one in which you have sent or shared something.")
      .argument("<case>", "URN, crime or CAD reference"),
    context,
    outcome,
    async () => (await import("./commands/case-follow.ts")).runUnfollow,
  );
  runs(
    "store",
    program
      .command("inbox")
      .helpGroup(group)
      .summary("see what has landed in your cases")
      .description(
        "Tells what has landed in your cases (exhibit case list) since you looked last, newest last; the server keeps how far that was. With --follow it goes " +
          "on until Ctrl-C, and misses nothing while the network or the server is gone. With --json a JSON document a line.",
      )
      .option("--follow", "go on, and tell at once what lands")
      .option("--since <time>", "what has landed since: 7d, 2026-11-21, 2026-11-21T14:05:00Z")
      .option("--case <ref>", "only this case, one of yours or not"),
    context,
    outcome,
    async () => (await import("./commands/inbox.ts")).run,
  );
  declareFetch(program, context, outcome);
}

function declareFetch(program: Command, context: Context, outcome: Outcome): void {
  const command = program
    .command("fetch")
    .helpGroup(group)
    .summary("bring a partner's link in as an exhibit")
    .description(
      "Fetches what a link leads to, hashes it as it arrives and makes it an exhibit, with where it came from in the signed record. Only from " +
        "hosts that were allowed by name, by https, and never from an address inside a network unless that network was named, too.\n" +
        "A link may be as good as a key: give - and the link on standard input, so that it is not among the arguments that others on this computer can see. The record keeps its host and path, and of the rest a digest.",
    )
    .argument("<link>", "the link, in quotes; or - for standard input")
    .option("--case <ref>", "case it belongs to: URN, crime or CAD reference")
    .option("--ref <reference>", "exhibit reference, such as ABC/1 (default: the next free one)")
    .option("--initials <letters>", "producer's initials for references that the store allots")
    .option("--title <text>", "what it is")
    .option("--source-id <id>", "what your own system calls it (default: a digest of the link)")
    .option("--producer <name>", "who produces the exhibit")
    .option("--oic <name>", "officer in the case")
    .option("--system <name>", "system it comes from");
  command
    .optionsGroup("Link:")
    .option(
      "--allow-host <host>",
      "host that links may lead to: HOST, *.DOMAIN, HOST:PORT, HOST=10.20.0.0/16 for one in a closed network (repeatable; instead of EXHIBIT_FETCH_HOSTS and fetchHosts)",
      (host: string, before: readonly string[] | undefined) => [...(before ?? []), host],
    )
    .option("--max-size <size>", "give up when more than this comes", "50G");
  runs(
    "transfer",
    command,
    context,
    outcome,
    async () => (await import("./commands/fetch.ts")).run,
  );
}
