import { parentPort } from "node:worker_threads";
import { doStep, type GroupOrder, type Outcome } from "./group-files.ts";

/** What is asked of the thread, and what it answers, one at a time. */
export type GroupAnswer =
  | { readonly outcomes: readonly Outcome[] }
  | { readonly failure: { readonly message: string; readonly code: string | undefined } };

parentPort?.on("message", (order: GroupOrder) => {
  parentPort?.postMessage(answer(order));
});

function answer(order: GroupOrder): GroupAnswer {
  try {
    return { outcomes: doStep(order) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { failure: { message, code } };
  }
}
