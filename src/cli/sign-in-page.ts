import type { Client, Context } from "./context.ts";
import { wantsJson } from "./given.ts";
import type { Typed } from "./input.ts";
import { note } from "./ui/result.ts";

/** Names the page where one signs in to whoever is there, and opens it where someone sits at a browser. */
export function pageShower(
  { terminal }: Context,
  typed: Typed,
  client: Client,
): (url: string) => void {
  const json = wantsJson(typed);
  return (url) => {
    if (json) {
      terminal.error.write(`${JSON.stringify({ type: "sign-in-page", url })}\n`);
      return;
    }
    note(terminal, json, "Sign in on this page, on this computer, within 5 minutes:", "", url, "");
    if (terminal.interactive && typed.options["browser"] !== false) void client.openPage(url);
  };
}
