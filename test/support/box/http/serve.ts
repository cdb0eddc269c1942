import type { IncomingMessage, ServerResponse } from "node:http";
import { checkScopes, signedIn } from "../accounts/access.ts";
import type { World } from "../world.ts";
import { Refusal, refusalAnswer, type Answer } from "./answer.ts";
import { Call, type Host, type LoggedRequest } from "./call.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Router } from "./router.ts";
import { send } from "./send.ts";

/** What looks at each exchange when it is over. */
export type Inspector = (call: Call, answer: Answer) => Promise<void> | void;

const usualVersion = "2024.0";

/** Answers requests to all of the simulator's origins. */
export class Front {
  readonly requests: LoggedRequest[] = [];
  /** Errors that are the simulator's own. */
  readonly crashes: unknown[] = [];

  private readonly world: World;
  private readonly router: Router;
  private readonly faults: Faults;
  private readonly inspect: Inspector;

  constructor(world: World, router: Router, faults: Faults, inspect: Inspector) {
    this.world = world;
    this.router = router;
    this.faults = faults;
    this.inspect = inspect;
  }

  /** Never rejects: a crash is answered with 500 and kept. */
  async serve(host: Host, from: IncomingMessage, to: ServerResponse): Promise<void> {
    const url = new URL(from.url ?? "/", this.world.origins[host]);
    const log: LoggedRequest = {
      method: from.method ?? "GET",
      host,
      path: url.pathname,
      query: url.search,
      agent: from.headers["user-agent"] ?? "",
      headers: from.headers,
      user: undefined,
      status: 0,
      receivedBytes: 0,
      sentBytes: 0,
    };
    this.requests.push(log);
    const call = new Call(from, host, url, log);
    try {
      await this.exchange(call, to);
    } catch (error) {
      // A connection that the client or a fault has cut is no crash.
      if (!from.destroyed && !to.destroyed) this.crashes.push(error);
      to.destroy();
    }
  }

  private async exchange(call: Call, to: ServerResponse): Promise<void> {
    const fault = this.faults.take(call);
    if (fault !== undefined && "cut" in fault && typeof fault.cut === "number") {
      await receiveSome(call, fault.cut);
      call.request.socket.destroy();
      return;
    }
    if (fault !== undefined && "hold" in fault) await fault.hold;
    const answer = await this.answer(call, fault);
    await call.drain();
    if (fault !== undefined && "cut" in fault && fault.cut === "unanswered") {
      call.request.socket.destroy();
      return;
    }
    call.log.status = answer.status;
    await this.inspect(call, answer);
    call.log.sentBytes = await send(to, answer, fault);
  }

  private async answer(call: Call, fault: Fault | undefined): Promise<Answer> {
    if (fault !== undefined && "answer" in fault) return { ...fault.answer, faulty: true };
    const answer = await this.truth(call);
    if (fault !== undefined && "storeThenAnswer" in fault) {
      return { ...fault.storeThenAnswer, faulty: true };
    }
    return fault !== undefined && "alter" in fault
      ? { ...fault.alter(answer), faulty: true }
      : answer;
  }

  private async truth(call: Call): Promise<Answer> {
    try {
      const found = this.router.find(call.host, call.method, call.url.pathname);
      if (found.route === undefined) {
        throw found.otherMethod
          ? new Refusal(405, "method_not_allowed", "Method Not Allowed")
          : new Refusal(404, "not_found", "Not Found");
      }
      const { route, params } = found;
      call.params = params;
      if (route.scopes !== "none") {
        call.access = signedIn(this.world, call);
        checkScopes(call.access, route.scopes);
        const version = call.header("box-version");
        if ((version ?? usualVersion) !== (route.version ?? usualVersion)) {
          throw new Refusal(400, "invalid_api_version", `Invalid API version: ${version ?? ""}`);
        }
      }
      return await route.handler(call);
    } catch (error) {
      if (error instanceof Refusal) return refusalAnswer(error);
      if (call.request.destroyed) throw error;
      this.crashes.push(error);
      return refusalAnswer(new Refusal(500, "internal_server_error", String(error)));
    }
  }
}

async function receiveSome(call: Call, bytes: number): Promise<void> {
  if (bytes === 0) return;
  for await (const piece of call.request as AsyncIterable<Buffer>) {
    call.log.receivedBytes += piece.length;
    if (call.log.receivedBytes >= bytes) return;
  }
}
