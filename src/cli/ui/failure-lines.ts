import type { Failure } from "../../app/deps.ts";
import type { Terminal } from "./terminal.ts";
import { themeFor } from "./theme.ts";
import { visible } from "./visible.ts";

/** Each of several failures as lines for stderr, with its code. */
export function* failureLines(terminal: Terminal, failed: Iterable<Failure>): Generator<string> {
  const theme = themeFor(terminal.color);
  for (const { path, code, message, hint } of failed) {
    yield `${theme.bad("failed:")} ${visible(path)}: ${visible(message)} ${theme.quiet(`(${code})`)}`;
    if (hint !== undefined) yield `  ${visible(hint)}`;
  }
}
