import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP proxy in front of one server, which sees every request. */
export interface WatchingProxy {
  readonly url: string;
  /** `PUT /bucket/key?retention=`, in order. */
  readonly seen: string[];
  /** Called when a request was answered, before its sender hears of it. */
  onAnswered: ((line: string) => void) | undefined;
  close(): Promise<void>;
}

/** Passes everything on as it is, the name of the host included: that is signed. */
export async function watchingProxy(target: string): Promise<WatchingProxy> {
  const { hostname, port } = new URL(target);
  const seen: string[] = [];
  const server = createServer((from, to) => {
    const line = `${from.method ?? ""} ${from.url ?? ""}`;
    seen.push(line);
    const { method, url: path, headers } = from;
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      proxy.onAnswered?.(line);
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: WatchingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    onAnswered: undefined,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return proxy;
}
