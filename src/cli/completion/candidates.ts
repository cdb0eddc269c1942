import type { Argument, Command, Option } from "commander";
import { helpTopics } from "../help-topics.ts";

/** One word that could stand where the cursor is. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** What could stand where the cursor is: these words, and beside them what the shell itself finds on the disk. */
export interface Candidates {
  readonly words: readonly Candidate[];
  readonly onDisk: "files" | "folders" | undefined;
}

const topics: readonly Candidate[] = Object.keys(helpTopics).map((word) => ({ word, about: "" }));
const nothing: Candidates = { words: [], onDisk: undefined };

/**
 * What a person may be typing. `typed` is what stands behind the program's name up to the cursor; its last word is the one
 * to complete, and may be empty. `stores` are asked for only where a store's name can stand.
 */
export async function candidatesFor(
  program: Command,
  typed: readonly string[],
  stores: () => Promise<readonly Candidate[]>,
): Promise<Candidates> {
  const begun = typed.at(-1) ?? "";
  const before = typed.slice(0, -1);
  const [first, ...asked] = before;
  const found =
    first === "help"
      ? wordsOnly([...verbsOf(walk(program, asked).command), ...(asked[0] ? [] : topics)])
      : await standingAt(walk(program, before), begun, stores);
  return { ...found, words: found.words.filter(({ word }) => word.startsWith(begun)) };
}

/** Where the cursor is: in which command, behind which option, or at which of its arguments. */
interface Place {
  readonly command: Command;
  readonly path: readonly string[];
  readonly valueOf: Option | undefined;
  readonly argument: number;
  /** Behind `--`, where nothing is an option any more. */
  readonly plain: boolean;
}

function walk(program: Command, words: readonly string[]): Place {
  let place: Place = {
    command: program,
    path: [],
    valueOf: undefined,
    argument: 0,
    plain: false,
  };
  for (const word of words) place = behind(place, word);
  return place;
}

function behind(place: Place, word: string): Place {
  if (place.valueOf !== undefined) return { ...place, valueOf: undefined };
  if (!place.plain && word === "--") return { ...place, plain: true };
  if (!place.plain && word.startsWith("-")) {
    const option = place.command.options.find(({ long, short }) => word === long || word === short);
    const takesValue = option !== undefined && (option.required || option.optional);
    return takesValue ? { ...place, valueOf: option } : place;
  }
  const verb = place.command.commands.find((command) => command.name() === word);
  if (verb === undefined) return { ...place, argument: place.argument + 1 };
  return { ...place, command: verb, path: [...place.path, word], argument: 0 };
}

async function standingAt(
  { command, path, valueOf, argument, plain }: Place,
  begun: string,
  stores: () => Promise<readonly Candidate[]>,
): Promise<Candidates> {
  if (valueOf !== undefined) {
    if (valueOf.long === "--store" && path[0] !== "serve") return wordsOnly(await stores());
    return named(valueOf.argChoices, valueOf.flags);
  }
  if (!plain && begun.startsWith("-")) return wordsOnly(optionsOf(command));
  const verbs = verbsOf(command);
  if (verbs.length > 0) return argument === 0 ? wordsOnly(verbs) : nothing;
  const wanted = argumentAt(command.registeredArguments, argument);
  if (wanted === undefined) return nothing;
  if (/^(?:configured store|the store's name)\b/.test(wanted.description)) {
    return wordsOnly(await stores());
  }
  return named(wanted.argChoices, `<${wanted.name()}>`);
}

function argumentAt(all: readonly Argument[], index: number): Argument | undefined {
  const last = all.at(-1);
  return all[index] ?? (last?.variadic === true ? last : undefined);
}

function verbsOf(command: Command): Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((verb) => ({ word: verb.name(), about: verb.summary() }));
}

function optionsOf(command: Command): Candidate[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.flatMap(({ long, description }) =>
    long ? [{ word: long, about: description }] : [],
  );
}

/** A value that is chosen from a few, or one whose name in the help text says that it is on the disk. */
function named(choices: readonly string[] | undefined, name: string): Candidates {
  if (choices !== undefined) return wordsOnly(choices.map((word) => ({ word, about: "" })));
  if (/<(?:folder|dir)\b/.test(name)) return { words: [], onDisk: "folders" };
  return /<(?:files?|list|paths|receipt)\b/.test(name) ? { words: [], onDisk: "files" } : nothing;
}

function wordsOnly(words: readonly Candidate[]): Candidates {
  return { words, onDisk: undefined };
}
