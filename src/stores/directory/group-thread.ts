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
  #worker: Worker | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws the operating system's error */
  run(order: GroupOrder): Promise<readonly Outcome[]> {
    const turn = this.#turn.then(() => this.#ask(order));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #ask(order: GroupOrder): Promise<readonly Outcome[]> {
    const worker = (this.#worker ??= new Worker(entry));
    worker.ref();
    try {
      worker.postMessage(order, order.step === "write" ? [order.bytes.buffer as ArrayBuffer] : []);
      const [answer] = (await once(worker, "message")) as [GroupAnswer];
      if ("outcomes" in answer) return answer.outcomes;
      const { message, code } = answer.failure;
      throw Object.assign(new Error(message), code === undefined ? {} : { code });
    } catch (error) {
      // A thread that has died is no use any more; the next order starts another.
      if (worker.threadId === -1) this.#worker = undefined;
      throw error;
    } finally {
      worker.unref();
    }
  }
}
