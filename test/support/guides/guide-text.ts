import { readFile } from "node:fs/promises";

/** What a guide has somebody type. */
export interface Guide {
  /** Each line of its `sh` blocks, and each loop or here-document as a whole, in order. */
  readonly commands: readonly string[];
  /** Commands that are only spoken of, in the middle of a sentence. */
  readonly mentioned: readonly string[];
  /** Commands in blocks that are not marked as `sh`, so that nobody would run them. */
  readonly unmarked: readonly string[];
}

const block = /^```(\w*)\n(.*?)^```$/gms;

export async function readGuide(file: string): Promise<Guide> {
  const text = await readFile(file, "utf8");
  const blocks = [...text.matchAll(block)].map(([, language = "", body = ""]) => ({
    language,
    body,
  }));
  const sh = blocks.filter(({ language }) => language === "sh" || language === "bash");
  const others = blocks.filter((each) => !sh.includes(each));
  const sentences = text.replace(block, "");
  return {
    commands: sh.flatMap(({ body }) => commandsIn(body)),
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
