import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { Dispatcher } from "undici";
import type { Pace } from "../evidence/ports/pace.ts";

/** How connections to one server are made: through which proxy, trusting which certificates. */
export interface Route {
  /** For `undici.request`: the data. */
  readonly dispatcher: Dispatcher;
  /** For `got`: the control calls. */
  readonly agent: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

/** Knows the route to every server, and how fast content may go along it. */
export interface Network {
  route(url: string): Route;
  readonly pace: Pace;
  /** How long a connection may take nothing before it is given up. */
  readonly stallMs: number;
}
