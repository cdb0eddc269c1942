import { signedIn, signIn } from "../../app/sign-in.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Application, Proving, SignedIn, Subject } from "../../evidence/ports/sign-in.ts";
import type { Client, Context, Settings } from "../context.ts";
import { wantsJson } from "../given.ts";
import { readGiven, type Typed } from "../input.ts";
import { rememberStore, whereKept } from "../login-kept.ts";
import { pageShower } from "../sign-in-page.ts";
import { ask } from "../ui/prompt.ts";
import { note, printResult, warn } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit login` at a store in Box: a person's on Box's page, or an unattended job's. */
export async function loginAtBox(
  context: Context,
  typed: Typed,
  client: Client,
  settings: Settings,
  at: { readonly store?: string },
): Promise<undefined> {
  const { terminal, signal, machine } = context;
  const json = wantsJson(typed);
  const proving = await howProved(context, typed, client, settings);
  const prove = (): ReturnType<typeof signIn> => signIn(client, { ...at, proving }, signal);
  // While a person is at Box's page, its address stays in sight: nothing may draw over it.
  const { url } = await (proving.by === "page"
    ? prove()
    : spin(terminal, json, "Signing in", prove));
  const store = await rememberStore(machine, typed, url);
  const who = await spin(terminal, json, "Asking Box who it is", () => whoAt(url, client, context));
  const place = client.secretsPlace;
  const document = {
    schema: "exhibit.login/1",
    store: store.name,
    url: store.url,
    ...(who === undefined ? {} : { account: who.account }),
    ...(who?.actsAs === undefined ? {} : { actsAs: who.actsAs }),
    secretsPlace: place,
  };
  const names = [who?.account.login, who?.actsAs?.login].flatMap((name) =>
    name === undefined ? [] : [visible(name)],
  );
  printResult(terminal, json, document, () => [[store.name, store.url, ...names].join("  ")]);
  const theme = themeFor(terminal.color);
  note(
    terminal,
    json,
    `${theme.good("✔")} This machine is signed in${names.length === 0 ? "" : ` as ${names.join(", acting as ")}`}.`,
    ...whereKept(context, typed, store, "The login", place),
  );
}

/** As whom this machine is signed in now; undefined, with a warning, where Box does not say. */
async function whoAt(
  url: string,
  client: Client,
  { terminal, signal }: Context,
): Promise<SignedIn | undefined> {
  try {
    return await signedIn(client, { store: url }, signal);
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    warn(
      terminal,
      `This machine is signed in, but there is more to do: ${error.message} ${error.hint ?? ""}`,
    );
    return undefined;
  }
}

async function howProved(
  context: Context,
  typed: Typed,
  client: Client,
  settings: Settings,
): Promise<Proving> {
  const { boxJwt, boxCcg, boxUser } = typed.options as Record<string, string | undefined>;
  if (boxJwt !== undefined && boxCcg !== undefined) {
    throw usage("--box-jwt and --box-ccg are two ways of signing in; choose one.");
  }
  if (boxUser !== undefined && boxJwt === undefined) {
    throw usage("--box-user goes with --box-jwt.");
  }
  if (boxUser !== undefined && !/^\d{1,20}$/.test(boxUser)) {
    throw usage("--box-user must be the id of a user of Box.");
  }
  if (boxJwt !== undefined) {
    if (typed.options["clientId"] !== undefined || typed.options["secretStdin"] === true) {
      throw usage("The file given with --box-jwt names the application; give no other.");
    }
    const settingsText = await readGiven(boxJwt, context.terminal);
    return { by: "key", settings: settingsText, userId: boxUser };
  }
  const subject = boxCcg === undefined ? undefined : subjectOf(boxCcg);
  const application = await applicationGiven(context, typed, client, settings);
  if (subject !== undefined) return { by: "credentials", application, subject };
  return { by: "page", application, showPage: pageShower(context, typed, client) };
}

function subjectOf(text: string): Subject {
  const [, type, id] = /^(enterprise|user):(\d{1,20})$/.exec(text) ?? [];
  if (id === undefined) throw usage("--box-ccg must be enterprise:ID or user:ID.");
  return { type: type === "user" ? "user" : "enterprise", id };
}

/** The client id by flag, variable or question; its secret by variable, stdin or question, never as an argument. */
async function applicationGiven(
  context: Context,
  typed: Typed,
  { givenClientSecret }: Client,
  settings: Settings,
): Promise<Application> {
  const options = { ...context, json: wantsJson(typed) };
  const clientId =
    settings.clientId ??
    (await ask(
      {
        message: "Client id of the application in Box:",
        flag: "--client-id",
        problem: (answer) =>
          /^[\w-]{1,64}$/.test(answer.trim()) ? undefined : "This is not a client id of Box.",
      },
      options,
    ));
  if (givenClientSecret !== undefined && givenClientSecret !== "") {
    return { clientId, clientSecret: givenClientSecret };
  }
  if (typed.options["secretStdin"] === true) {
    const clientSecret = (await readGiven("-", context.terminal)).trim();
    if (clientSecret !== "") return { clientId, clientSecret };
    throw new ExhibitError("usage.missing", "No client secret came on stdin.", {
      hint: "Pipe it in: exhibit login STORE --secret-stdin < secret.txt",
    });
  }
  const clientSecret = await ask(
    { message: "Its client secret:", flag: "--secret-stdin", secret: true },
    options,
  );
  return { clientId, clientSecret };
}

function usage(message: string): ExhibitError {
  return new ExhibitError("usage.invalid", message, { hint: "See exhibit login --help." });
}
