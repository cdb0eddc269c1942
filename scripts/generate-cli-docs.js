// Writes docs/cli.md from the built program, so that what is documented is what is declared. With --check it only
// compares.
import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";

import { argumentsOf, helpTopics, leaves, meaningOf, program } from "./declared-commands.js";

const file = new URL("../docs/cli.md", import.meta.url);

/** @typedef {import("commander").Command} Command */

/** @param {string} text */
function cell(text) {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

/** @param {{ path: string, command: Command }} leaf */
function section({ path, command }) {
  const lines = [`### ${path}`, "", cell(command.description()), ""];
  lines.push("```", [path, ...argumentsOf(command), "[options]"].join(" "), "```", "");
  for (const argument of command.registeredArguments) {
    lines.push(`- \`${argument.name()}\`: ${cell(argument.description)}`);
  }
  lines.push("", "| option | meaning |", "| --- | --- |");
  for (const option of command.options) {
    lines.push(`| \`${option.flags}\` | ${cell(meaningOf(option))} |`);
  }
  return [...lines, ""].join("\n");
}

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
