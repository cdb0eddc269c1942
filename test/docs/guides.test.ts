import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { buildProgram } from "../../src/cli/program.ts";
import type { Context } from "../../src/cli/context.ts";
import { readGuide } from "../support/guides/guide-text.ts";
import { people, type Person } from "../support/guides/people.ts";
import { compared, seenLines } from "../support/guides/screen.ts";
import { openTown, type Town } from "../support/guides/town.ts";
import type { Shell } from "../support/guides/shell.ts";

const folder = path.resolve("docs/guides");
const guides = (await readdir(folder)).sort();

/** How long one command of a guide may take on a busy machine. */
const limitMs = 60_000;

let town: Town | undefined;
afterEach(async () => {
  await town?.close();
  town = undefined;
});

it("is a person's page, each of them", () => {
  expect(Object.keys(people).sort()).toEqual(guides);
});

describe("every command in", () => {
  it.each(guides)(
    "%s does what it says, on a computer that is new",
    async (name) => {
      const person = personOf(name);
      const { commands, unmarked } = await readGuide(path.join(folder, name));
      expect(unmarked).toEqual([]);
      if (commands.length === 0) return;
      town = await openTown(person);
      const computer = await town.newcomer(person.files ?? {});
      const facts = (await person.prepare?.(town, computer)) ?? {};
      const window = await computer.window();
      const staying: Shell[] = [];
      for (const { written, looks } of commands) {
        const typed = inTown(written, { ...person.words, ...facts });
        const stays = person.stays?.find(([command]) => command.test(written));
        if (stays !== undefined) {
          for (const earlier of staying.splice(0)) await earlier.interrupt();
          const other = await computer.window();
          const screen = await within(other.begin(typed, stays[1]), typed);
          staying.push(other);
          await expectLooks(screen, looks);
          await person.seen?.(written, screen, facts, window);
          continue;
        }
        const answers = person.answers?.find(([command]) => command.test(written))?.[1] ?? [];
        const wanted = person.ends?.find(([command]) => command.test(typed))?.[1] ?? 0;
        const answered = answers.map(([shown, given]) => [shown, inTown(given, facts)] as const);
        const { code, screen } = await within(window.run(typed, answered), typed);
        expect({ typed, code, screen: code === wanted ? "" : screen }).toEqual({
          typed,
          code: wanted,
          screen: "",
        });
        await expectLooks(screen, looks);
        await person.seen?.(written, screen, facts, window);
      }
    },
    240_000,
  );
});

it.each(guides)("%s mentions only commands and options that there are", async (name) => {
  const { mentioned, commands } = await readGuide(path.join(folder, name));
  const program = buildProgram({ terminal: { columns: () => 100 }, version: "" } as Context, {
    exitCode: 0,
  });
  const all = [
    ...mentioned,
    ...commands.flatMap(({ written }) => written.match(/exhibit [^|;&]*/g) ?? []),
  ];
  for (const sentence of all) {
    let command = program;
    for (const word of sentence.split(/\s+/).slice(1)) {
      const verb = command.commands.find((each) => each.name() === word);
      if (verb !== undefined) command = verb;
    }
    expect([sentence, command === program]).toEqual([sentence, false]);
    const known = command.options.flatMap(({ long, short }) => [long, short]);
    for (const flag of sentence.replace(/ #.*/, "").match(/(?<=\s)--[a-z][\w-]*/g) ?? []) {
      expect([sentence, [...known, "--help"]]).toEqual([sentence, expect.arrayContaining([flag])]);
    }
  }
});

function personOf(guide: string): Person {
  const person = people[guide];
  if (person === undefined) throw new Error(`Nobody reads ${guide}.`);
  return person;
}

/** The screen is as the guide shows it, where it does. */
async function expectLooks(screen: string, looks: string | undefined): Promise<void> {
  if (looks === undefined) return;
  const { found, shown } = compared(looks, await seenLines(screen));
  expect(found).toEqual(shown);
}

/** The guide's words, with what stands for something replaced by that. */
function inTown(text: string, words: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [word, meant] of Object.entries(words)) result = result.replaceAll(word, meant);
  return result;
}

async function within<Result>(work: Promise<Result>, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not end`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
