import { setTimeout as wait } from "node:timers/promises";
import type { FastifyInstance, RouteHandlerMethod } from "fastify";

/**
 * Knows which handlers are running. One goes on when its caller has hung up, and Node's server, which waits for connections
 * only, would say that it has closed while such a handler still writes.
 */
export class RunningHandlers {
  readonly #running = new Set<Promise<unknown>>();

  /** Watches the routes that are registered after it. */
  watch(app: FastifyInstance): void {
    app.addHook("onRoute", (route) => {
      route.handler = this.#watched(route.handler);
    });
  }

  /** Waits until none is running any more, for `limitMs` at most. */
  async ended(limitMs: number): Promise<void> {
    const inTime = new AbortController();
    const limit = wait(limitMs, undefined, { signal: inTime.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#running), limit]);
    inTime.abort();
  }

  #watched(handler: RouteHandlerMethod): RouteHandlerMethod {
    const running = this.#running;
    return function (request, reply) {
      const answer = handler.call(this, request, reply);
      if (answer instanceof Promise) {
        const settled = answer.finally(() => running.delete(settled));
        running.add(settled);
        return settled;
      }
      return answer;
    };
  }
}
