import type { Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

const group = "This machine:";

/** Configured stores, and the server that runs here. */
export function declareMachine(program: Command, context: Context, outcome: Outcome): void {
  const store = noun(program, "store", group, "configure content stores");
  runs(
    "plain",
    store
      .command("add")
      .summary("give a store a name")
      .description(
        "Gives a store a name. An https: URL is an exhibit server; a file: URL or a path is a folder, which needs no server at all. The first store becomes the default.",
      )
      .argument("<name>", "short name, such as met")
      .argument("<url>", "https://HOST, or a folder: file:///PATH or just its path")
      .option("--default", "make it the default store"),
    context,
    outcome,
    async () => (await import("./commands/store-add.ts")).run,
  );
  runs(
    "plain",
    store
      .command("list")
      .summary("list configured stores")
      .description("Lists the configured stores."),
    context,
    outcome,
    async () => (await import("./commands/store-list.ts")).run,
  );
  runs(
    "plain",
    store
      .command("remove")
      .summary("forget a store's name")
      .description(
        "Forgets a store's name. Nothing in the store changes, and your enrolment there stays.",
      )
      .argument("<name>", "the store's name"),
    context,
    outcome,
    async () => (await import("./commands/store-remove.ts")).run,
  );
  runs(
    "plain",
    store
      .command("default")
      .summary("show or choose the default store")
      .description("Chooses the store that commands use without --store; without a name, shows it.")
      .argument("[name]", "the store's name"),
    context,
    outcome,
    async () => (await import("./commands/store-default.ts")).run,
  );
  runs(
    "store",
    store
      .command("check")
      .summary("find out what a store really does")
      .description(
        "Finds out what a store really does. In an S3 bucket it tries out, below a prefix of its own, which promises the store keeps: digests, no overwriting, " +
          "Object Lock, encryption; it removes again what it wrote, and keeps what it found for later uploads. Of other stores it says what they prove and what room they have.",
      )
      .argument("[name]", "configured store, or its URL (default: the default store)"),
    context,
    outcome,
    async () => (await import("./commands/store-check.ts")).run,
  );
  declareServe(program, context, outcome);
}

function declareServe(program: Command, context: Context, outcome: Outcome): void {
  const command = program
    .command("serve")
    .helpGroup(group)
    .summary("run an exhibit server on this machine")
    .description(
      "Runs an exhibit server on this machine. The first start makes the data folder, the server's key, the database and " +
        "a one-time invitation for its admin. Stops cleanly on Ctrl-C and SIGTERM.",
    )
    .option("--data <folder>", "where it keeps everything (default: server in the state folder)")
    .option(
      "--store <url>",
      "keep content in a bucket: s3://BUCKET/PREFIX?endpoint=… (default: in the data folder)",
    )
    .option(
      "--parts-through-server",
      "with --store: no client sends parts of files straight to the engine",
    )
    .option(
      "--organisation <name>",
      "shown to people who open a share link (default: as at the last start, at first Exhibit server)",
    )
    .option("--expire-uploads <duration>", "forget unfinished uploads after this long", "14d")
    .option(
      "--invitation-file <file>",
      "write an admin's invitation to this file, for its owner only",
    )
    .option("--new-admin-invitation", "make another admin invitation, when the first is lost")
    .option(
      "--rebuild-index",
      "first find sealed exhibits again in the content, after the database was lost or an older one restored",
    )
    .option(
      "--former-key <thumbprint...>",
      "with --rebuild-index: also believe receipts of this key, which was the server's before it was lost",
    );
  command
    .optionsGroup("Network:")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on; 0 takes a free one", "8080")
    .option("--tls-cert <file>", "certificate chain in PEM")
    .option("--tls-key <file>", "its private key in PEM")
    .option("--public-url <url>", "how people reach it; fixes links and sign-in")
    .option(
      "--metrics-address <address>",
      "also answer GET /metrics for Prometheus, there alone: 127.0.0.1:9464 (default: nowhere)",
    )
    .option("--trust-proxy <cidr...>", "proxies in front of it, such as 10.0.0.0/8");
  command
    .optionsGroup("Officers by the force's sign-in (OpenID Connect):")
    .option("--oidc-issuer <url>", "the provider's issuer, as its discovery document has it")
    .option("--oidc-client-id <id>", "the application that officers sign in with")
    .option("--oidc-audience <id>", "whom access tokens are for (default: the client id)")
    .option("--oidc-scope <scope...>", "what to ask for beside openid and offline_access")
    .option("--role-map <file>", "which groups or app roles have which role here")
    .option("--ca-file <file>", "also trust the certificates in this PEM file");
  command
    .optionsGroup("Mail:")
    .option(
      "--smtp-url <url>",
      "mail server that share links and codes are sent through: smtps://USER@HOST:465, or smtp://USER@HOST:587 with STARTTLS (default: officers hand both over)",
    )
    .option(
      "--mail-from <address>",
      "address that mails are from (default: the USER of --smtp-url)",
    )
    .option(
      "--smtp-password-file <file>",
      "file with its password (default: EXHIBIT_SMTP_PASSWORD in the environment)",
    )
    .option("--smtp-ca-file <file>", "also trust the certificates in this PEM file for it");
  runs("plain", command, context, outcome, async () => (await import("./commands/serve.ts")).run);
}
