import type { Answer } from "./answer.ts";
import type { Call, Host } from "./call.ts";

export type Handler = (call: Call) => Answer | Promise<Answer>;

/** What a path is for. */
export interface Route {
  readonly method: string;
  /** Such as `/2.0/files/:id/content`. */
  readonly path: string;
  readonly hosts: readonly Host[];
  /** Scopes of a downscoped token that allow it, one of them being enough; undefined for all tokens, "none" for no token. */
  readonly scopes: readonly string[] | "none" | undefined;
  readonly handler: Handler;
  /** Version of the API that it belongs to, where it is not the usual one. */
  readonly version?: string;
}

interface Node {
  readonly fixed: Map<string, Node>;
  open: { readonly name: string; readonly node: Node } | undefined;
  readonly routes: Map<string, Route>;
}

export type Found =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly route: undefined; readonly otherMethod: boolean };

/** Finds what a path is for, on each origin. */
export class Router {
  private readonly roots = new Map<Host, Node>();

  add(...routes: readonly Route[]): void {
    for (const route of routes) {
      for (const host of route.hosts) {
        let node = this.root(host);
        for (const segment of segments(route.path)) node = descend(node, segment);
        node.routes.set(route.method, route);
      }
    }
  }

  find(host: Host, method: string, path: string): Found {
    let node = this.root(host);
    const params: Record<string, string> = {};
    for (const segment of segments(path)) {
      const fixed = node.fixed.get(segment);
      if (fixed !== undefined) {
        node = fixed;
      } else if (node.open !== undefined) {
        params[node.open.name] = decodeURIComponent(segment);
        node = node.open.node;
      } else {
        return { route: undefined, otherMethod: false };
      }
    }
    const route = node.routes.get(method);
    if (route === undefined) return { route, otherMethod: node.routes.size > 0 };
    return { route, params };
  }

  private root(host: Host): Node {
    let node = this.roots.get(host);
    if (node === undefined) this.roots.set(host, (node = emptyNode()));
    return node;
  }
}

/** A slash at the end makes no difference to Box. */
function segments(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}

function descend(node: Node, segment: string): Node {
  if (segment.startsWith(":")) {
    node.open ??= { name: segment.slice(1), node: emptyNode() };
    return node.open.node;
  }
  let next = node.fixed.get(segment);
  if (next === undefined) node.fixed.set(segment, (next = emptyNode()));
  return next;
}

function emptyNode(): Node {
  return { fixed: new Map(), open: undefined, routes: new Map() };
}
