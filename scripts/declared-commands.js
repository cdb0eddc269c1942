// Every command as the built program declares it, for what is made from that: docs/cli.md and the manual page.

// Loaded by address: what the build makes is not there when types are checked.
/** @param {string} name */
const built = (name) => import(new URL(`../dist/cli/${name}`, import.meta.url).href);

/** @typedef {import("commander").Command} Command */

/** @type {Readonly<Record<string, string>>} */
export const helpTopics = (await built("help-topics.js")).helpTopics;

const { buildProgram } = await built("program.js");
const nowhere = { terminal: { columns: () => 100 }, version: "" };

/** @type {Command} */
export const program = buildProgram(nowhere, { exitCode: 0 });

/**
 * The verbs below a command, and the command itself where it can be run; none of what is hidden.
 *
 * @param {Command} command
 * @param {string} path
 * @returns {{ path: string, command: Command }[]}
 */
export function leaves(command, path) {
  const verbs = program.createHelp().visibleCommands(command);
  const below = verbs.flatMap((verb) => leaves(verb, `${path} ${verb.name()}`));
  // A noun alone has no options of its own; a command that runs itself may have verbs as well.
  return command.options.length === 0 && below.length > 0 ? below : [{ path, command }, ...below];
}

/**
 * What stands behind a command's name: `<store>`, `[paths...]`.
 *
 * @param {Command} command
 */
export function argumentsOf(command) {
  return command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
}

/**
 * What an option means, with what can be chosen and what is taken without it.
 *
 * @param {import("commander").Option} option
 */
export function meaningOf({ description, argChoices, defaultValue }) {
  const choices = argChoices === undefined ? "" : `: ${argChoices.join(", ")}`;
  const fallback = defaultValue === undefined ? "" : ` (default: ${String(defaultValue)})`;
  return `${description}${choices}${fallback}`;
}
