// Writes dist/man/exhibit.1, the manual page, in mdoc, from what the built program declares. `npm install -g` puts it where `man exhibit` looks.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { argumentsOf, helpTopics, leaves, meaningOf, program } from "./declared-commands.js";

const file = new URL("../dist/man/exhibit.1", import.meta.url);

/**
 * Text as troff takes it: no backslash, hyphen or first letter of a line means anything.
 *
 * @param {string} text
 */
function plain(text) {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/gm, "\\&$&");
}

/**
 * One sentence a line, as mdoc wants it.
 *
 * @param {string} text
 */
function prose(text) {
  return plain(text).replace(/([.!?]) (?=[A-Z])/g, "$1\n");
}

/**
 * A tag of a list, as one macro's arguments: quoted, since words such as "No" are macros.
 *
 * @param {string} text
 */
function tag(text) {
  return `.It "${plain(text).replaceAll('"', '""')}"`;
}

/** @param {{ path: string, command: import("commander").Command }} leaf */
function section({ path, command }) {
  const items = [
    ...command.registeredArguments.map((argument) => [argument.name(), argument.description]),
    ...command.options.map((option) => [option.flags, meaningOf(option)]),
  ].flatMap(([name = "", meaning = ""]) => [tag(name), prose(meaning)]);
  return [
    `.Ss "${plain([path, ...argumentsOf(command)].join(" "))}"`,
    prose(command.description()),
    ...(items.length === 0 ? [] : [".Bl -tag -width Ds", ...items, ".El"]),
  ];
}

/**
 * A help topic, with its lines as they are.
 *
 * @param {string} heading
 * @param {string} topic
 */
function topicSection(heading, topic) {
  const [, ...lines] = (helpTopics[topic] ?? "").trimEnd().split("\n");
  const text = lines.join("\n").replace(/^\n+/, "");
  return [`.Sh ${heading}`, ".Bd -literal", plain(text).replaceAll(/^$/gm, "\\&"), ".Ed"];
}

// https://reproducible-builds.org/specs/source-date-epoch/: whoever wants the very same page again sets the day.
const changed = new Date(Number(process.env["SOURCE_DATE_EPOCH"] ?? 0) * 1000 || Date.now());
const day = changed.toLocaleDateString("en-GB", { dateStyle: "long", timeZone: "UTC" });
const [dayOfMonth, month, year] = day.split(" ");
const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
const commands = program.createHelp().visibleCommands(program);

const page = [
  `.Dd ${month} ${dayOfMonth}, ${year}`,
  ".Dt EXHIBIT 1",
  `.Os "exhibit ${version}"`,
  ".Sh NAME",
  ".Nm exhibit",
  `.Nd ${plain(program.summary())}`,
  ".Sh SYNOPSIS",
  ".Nm",
  ".Ar command",
  ".Op Ar arguments",
  ".Op Ar options",
  ".Sh DESCRIPTION",
  prose(program.description()),
  ".Pp",
  "Exhibits are named CASE:ABC/1, for example 01AB1234526:ABC/1.",
  ".Sh COMMANDS",
  ...commands.flatMap((command) => leaves(command, command.name()).flatMap(section)),
  ...topicSection("ENVIRONMENT", "environment"),
  ...topicSection("FILES", "configuration"),
  ...topicSection("EXIT STATUS", "exit-codes"),
  "",
].join("\n");

await mkdir(new URL(".", file), { recursive: true });
await writeFile(file, page);
