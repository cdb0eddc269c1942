import type { Failure } from "../../app/deps.ts";
import type { Terminal } from "./terminal.ts";
import { themeFor } from "./theme.ts";
import { visible } from "./visible.ts";

/** Each of several failures as lines for stderr. */
export function failureLines(terminal: Terminal, failed: readonly Failure[]): string[] {
  const theme = themeFor(terminal.color);
  return failed.flatMap(({ path, message, hint }) => [
    `${theme.bad("failed:")} ${visible(path)}: ${visible(message)}`,
    ...(hint === undefined ? [] : [`  ${visible(hint)}`]),
  ]);
}
