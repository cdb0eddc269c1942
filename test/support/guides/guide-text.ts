import { readFile } from "node:fs/promises";

/** What a guide has somebody type. */
export interface Guide {
  /** Each line of its `sh` blocks, and each loop or here-document as a whole, in order. */
  readonly commands: readonly Command[];
  /** Commands that are only spoken of, in the middle of a sentence. */
  readonly mentioned: readonly string[];
  /** Commands in blocks that are not marked as `sh`, so that nobody would run them. */
  readonly unmarked: readonly string[];
}

export interface Command {
  readonly written: string;
  /** What the guide shows of the screen after it: the `text` block right behind its own. */
  readonly looks: string | undefined;
}

/** A block, with the `text` block right behind it. */
const block = /^```(\w*)\n(.*?)^```$(?:\s+^```text\n(.*?)^```$)?/gms;

export async function readGuide(file: string): Promise<Guide> {
  const text = await readFile(file, "utf8");
  const blocks = [...text.matchAll(block)].map(([, language = "", body = "", looks]) => ({
    language,
    body,
    looks,
  }));
  const sh = blocks.filter(({ language }) => language === "sh" || language === "bash");
  const others = blocks.filter((each) => !sh.includes(each));
  const sentences = text.replace(block, "");
  return {
    commands: sh.flatMap(({ body, looks }) => {
      const written = commandsIn(body);
      return written.map((command, index) => ({
        written: command,
        looks: index === written.length - 1 ? looks : undefined,
      }));
    }),
    mentioned: [...sentences.matchAll(/`(exhibit [^`]+)`/g)].map(([, command = ""]) => command),
    unmarked: others.flatMap(({ body }) => body.match(/^\s*exhibit .*$/gm) ?? []),
  };
}

/** A loop or a here-document makes sense only as a whole; anything else is a command a line. */
function commandsIn(body: string): string[] {
  const joined = body.replace(/\\\n\s*/g, " ").trimEnd();
  if (/^\s*(?:for|while|if)\b|<</m.test(joined)) return [joined];
  return joined.split("\n").filter((line) => line.trim() !== "" && !/^\s*#/.test(line));
}
