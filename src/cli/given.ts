import type { Client, Context, GivenSettings, Settings } from "./context.ts";
import type { Typed } from "./input.ts";
import { NeededBy, neededByOf } from "./needed-by.ts";
import type { OnTransferEvent } from "../evidence/progress.ts";
import { openProgress, type ProgressMode } from "./ui/progress.ts";
import { warn } from "./ui/result.ts";

/** What was typed of the settings. */
export function givenSettings({ options }: Typed): GivenSettings {
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    store: text("store"),
    initials: text("initials"),
    caFile: text("caFile"),
    concurrency: text("concurrency"),
    partSize: text("partSize"),
    requireProof: text("requireProof"),
    bwlimit: text("bwlimit"),
    giveUpAfter: text("giveUpAfter"),
    fetchHosts: (options["allowHost"] as readonly string[] | undefined)?.join(","),
    keyFile: text("keyFile"),
    clientId: text("clientId"),
    insecureStorage: options["insecureStorage"] === true,
  };
}

export function wantsJson({ options }: Typed): boolean {
  return options["json"] === true;
}

/** When everything is needed, if that was said. @throws ExhibitError `usage.invalid` */
export function neededByGiven({ options }: Typed): Date | undefined {
  const text = options["neededBy"] as string | undefined;
  return text === undefined ? undefined : neededByOf(text, new Date());
}

/** What a command does with the use cases once they are there. */
type Use<Result> = (client: Client, settings: Settings) => Promise<Result>;

/** Settles the settings, opens the use cases' needs, and puts them away afterwards, whatever happens. */
export async function withClient<Result>(
  context: Context,
  typed: Typed,
  use: Use<Result>,
  onEvent: OnTransferEvent = () => undefined,
): Promise<Result> {
  const { settings, warnings } = await context.machine.settings(givenSettings(typed));
  for (const warning of warnings) warn(context.terminal, warning);
  const client = await context.machine.client(settings, context.signal, onEvent);
  try {
    return await use(client, settings);
  } finally {
    await client.close();
  }
}

/**
 * As {@link withClient}, with the progress of a transfer shown while it runs; `started` is its verb: "Sending". `use` may take the
 * progress away itself, to tell what came of it while the client is there.
 */
export async function withTransfer<Result>(
  context: Context,
  typed: Typed,
  started: string,
  use: (client: Client, settings: Settings, endProgress: () => void) => Promise<Result>,
): Promise<Result> {
  const neededBy = neededByGiven(typed);
  const chosen = typed.options["progress"] as ProgressMode;
  const mode = wantsJson(typed) && chosen === "auto" ? "none" : chosen;
  const { terminal, signal } = context;
  const progress = await openProgress(terminal, mode, started, signal, wantsJson(typed));
  let deadline: NeededBy | undefined;
  const stop = (): void => {
    deadline?.stop();
    progress.stop();
  };
  try {
    return await withClient(
      context,
      typed,
      (client, settings) => {
        if (neededBy !== undefined) {
          deadline = new NeededBy(neededBy, settings.bwlimit, progress.onEvent);
        }
        return use(client, settings, stop);
      },
      (event) => {
        progress.onEvent(event);
        deadline?.take(event);
      },
    );
  } finally {
    stop();
  }
}
