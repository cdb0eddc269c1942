import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { createTurns } from "../../../src/server/watermark/turns.ts";
import { never } from "./rig.ts";

/** Asks for turns in this order (`A1` is the first of party A), ends the longest running one by one: who runs at each step. */
async function stepsOf(atOnce: number, asked: readonly string[]): Promise<string[]> {
  const turns = createTurns(atOnce);
  const running: { readonly name: string; readonly end: () => void }[] = [];
  const all = asked.map((name) =>
    turns.take(name.charAt(0), never, async () => {
      await new Promise<void>((end) => running.push({ name, end }));
    }),
  );
  const steps: string[] = [];
  while (steps.length < asked.length) {
    await nextTurn();
    steps.push(running.map(({ name }) => name).join(" "));
    running.shift()?.end();
  }
  await Promise.all(all);
  return steps;
}

describe("turns", () => {
  it.each([
    {
      what: "with one place, go round the parties that wait",
      atOnce: 1,
      asked: ["A1", "A2", "A3", "A4", "B1", "B2", "C1"],
      steps: ["A1", "A2", "B1", "C1", "A3", "B2", "A4"],
    },
    {
      what: "with two places, leave one to those who come behind many of one party",
      atOnce: 2,
      asked: ["A1", "A2", "A3", "A4", "B1", "C1"],
      steps: ["A1 B1", "B1 A2", "A2 C1", "C1 A3", "A3", "A4"],
    },
    {
      what: "with four places, are never all of one party",
      atOnce: 4,
      asked: ["A1", "A2", "A3", "A4", "B1"],
      steps: ["A1 A2 A3 B1", "A2 A3 B1 A4", "A3 B1 A4", "B1 A4", "A4"],
    },
  ])("$what", async ({ atOnce, asked, steps }) => {
    expect(await stepsOf(atOnce, asked)).toEqual(steps);
  });
});
