import { Chalk } from "chalk";

/** The few things that colour says here; the words say them, too. */
export interface Theme {
  readonly strong: (text: string) => string;
  readonly quiet: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warning: (text: string) => string;
}

/** Colours for a stream that takes them, or none. chalk's own guess looks at stdout only. */
export function themeFor(color: boolean): Theme {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  return {
    strong: chalk.bold,
    quiet: chalk.dim,
    good: chalk.green,
    bad: chalk.red,
    warning: chalk.yellow,
  };
}
