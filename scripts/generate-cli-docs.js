// Writes docs/cli.md from the built program, so that what is documented is what is declared. With --check it only
// compares.
import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";

// Loaded by address: what the build makes is not there when types are checked.
/** @param {string} name */
const built = (name) => import(new URL(`../dist/cli/${name}`, import.meta.url).href);
const { helpTopics } = await built("help-topics.js");
const { buildProgram } = await built("program.js");

const file = new URL("../docs/cli.md", import.meta.url);

/** @typedef {import("commander").Command} Command */

/** @param {string} text */
function cell(text) {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

/**
 * The verbs below a command, and the command itself where it can be run.
 *
 * @param {Command} command
 * @param {string} path
 * @returns {{ path: string, command: Command }[]}
 */
function leaves(command, path) {
  const verbs = command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`));
  // A noun alone has no options of its own.
  return command.options.length === 0 && verbs.length > 0 ? verbs : [{ path, command }, ...verbs];
}

/** @param {{ path: string, command: Command }} leaf */
function section({ path, command }) {
  const lines = [`### ${path}`, "", cell(command.description()), ""];
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  lines.push("```", [path, ...words, "[options]"].join(" "), "```", "");
  for (const argument of command.registeredArguments) {
    lines.push(`- \`${argument.name()}\`: ${cell(argument.description)}`);
  }
  lines.push("", "| option | meaning |", "| --- | --- |");
  for (const option of command.options) {
    const choices = option.argChoices === undefined ? "" : `: ${option.argChoices.join(", ")}`;
    const fallback =
      option.defaultValue === undefined ? "" : ` (default: ${String(option.defaultValue)})`;
    lines.push(`| \`${option.flags}\` | ${cell(option.description)}${choices}${fallback} |`);
  }
  return [...lines, ""].join("\n");
}

const nowhere = /** @type {any} */ ({ terminal: { columns: () => 100 }, version: "" });
const program = buildProgram(nowhere, { exitCode: 0 });

/** @type {Map<string, string[]>} */
const groups = new Map();
for (const command of program.commands) {
  const title = command.helpGroup().replace(/:$/, "");
  const sections = leaves(command, `exhibit ${command.name()}`).map(section);
  groups.set(title, [...(groups.get(title) ?? []), ...sections]);
}

const text = [
  "# Commands",
  "",
  "Made from the program by `npm run docs:cli`; a test keeps it current. `--help` behind any command says the same.",
  "",
  program.description(),
  "",
  ...[...groups].flatMap(([title, sections]) => [`## ${title}`, "", ...sections]),
  ...Object.values(helpTopics).flatMap((topic) => {
    const [title = "", ...rest] = topic.trim().split("\n");
    return [`## ${title}`, "", "```", rest.join("\n").trim(), "```", ""];
  }),
].join("\n");

const wanted = await format(text, { ...(await resolveConfig(file)), parser: "markdown" });
if (!process.argv.includes("--check")) {
  await writeFile(file, wanted);
} else if ((await readFile(file, "utf8")) !== wanted) {
  process.stderr.write("docs/cli.md is not what the program declares: npm run docs:cli\n");
  process.exitCode = 1;
}
