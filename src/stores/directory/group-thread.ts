import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { GroupOrder, Outcome } from "./group-files.ts";
import type { GroupAnswer } from "./group-worker.ts";

// tsc does not rewrite a URL, and Node 20 runs no TypeScript: from the sources, too, the built worker is the one to start.
const entry = new URL(
  import.meta.url.endsWith(".ts")
    ? "../../../dist/stores/directory/group-worker.js"
    : "./group-worker.js",
  import.meta.url,
);

/**
 * A thread that does the file work of groups, one step at a time, so that a slow disk holds up nobody else. Started when it is
 * first needed; it keeps no process from ending.
 */
export class GroupThread {
  readonly #start: () => Worker;
  #worker: Worker | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(start = () => new Worker(entry)) {
    this.#start = start;
  }

  /** @throws the operating system's error, or another where the thread has died; the next order starts another one then */
  run(order: GroupOrder): Promise<readonly Outcome[]> {
    const turn = this.#turn.then(() => this.#ask(order));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #ask(order: GroupOrder): Promise<readonly Outcome[]> {
    const worker = (this.#worker ??= this.#started());
    worker.ref();
    try {
      worker.postMessage(order, order.step === "write" ? [order.bytes.buffer as ArrayBuffer] : []);
      const answer = await answerFrom(worker);
      if ("outcomes" in answer) return answer.outcomes;
      const { message, code } = answer.failure;
      throw Object.assign(new Error(message), code === undefined ? {} : { code });
    } finally {
      worker.unref();
    }
  }

  /** It may die at any time, also between two orders. */
  #started(): Worker {
    const worker = this.#start();
    const forget = (): void => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.on("error", forget);
    worker.on("exit", forget);
    return worker;
  }
}

/** What the thread says next. @throws Error where it dies before it has said anything */
async function answerFrom(worker: Worker): Promise<GroupAnswer> {
  const listening = new AbortController();
  const { signal } = listening;
  try {
    const said = once(worker, "message", { signal }) as Promise<[GroupAnswer]>;
    // Whoever throws in it makes it exit, too; `said` fails with the reason first.
    const exited = once(worker, "exit", { signal }).then((): never => {
      throw new Error("The thread that writes files has ended.");
    });
    const [answer] = await Promise.race([said, exited]);
    return answer;
  } finally {
    listening.abort();
  }
}
