import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "@jest/globals";
import { finish, serve, start } from "./built-program.ts";
import { startFaultProxy, type FaultProxy } from "./fault-proxy.ts";
import { freePort } from "./free-port.ts";

/** A server of the built program with its content in a bucket, an admin enrolled, and a proxy before it that counts. */
export interface BucketServer {
  readonly home: string;
  readonly proxy: FaultProxy;
  run(...argv: string[]): ReturnType<typeof finish>;
  startClient(...argv: string[]): ReturnType<typeof start>;
  /** Kills the server with SIGKILL, and starts it again on the same data folder. */
  killServer(): Promise<void>;
  /** Gives all that the server has said and logged since it was last started. */
  close(): Promise<string>;
}

/** @param env - what the server finds its keys by; clients have none of it */
export async function startBucketServer(
  home: string,
  store: string,
  env: NodeJS.ProcessEnv,
  more: readonly string[] = [],
): Promise<BucketServer> {
  const client = path.join(home, "client");
  await mkdir(client, { recursive: true });
  const port = await freePort();
  const proxy = await startFaultProxy(port);
  const invitation = path.join(home, "invitation.txt");
  const argv = [
    ...["--data", path.join(home, "data"), "--store", store, ...more],
    ...["--port", String(port), "--public-url", proxy.url, "--trust-proxy", "127.0.0.1"],
    ...["--invitation-file", invitation],
  ];
  let server = await serve(home, argv, env);
  const login = start(client, ["login", proxy.url, "--invite-stdin"]);
  login.stdin.write(await readFile(invitation));
  expect(await finish(login)).toMatchObject({ code: 0 });
  return {
    home,
    proxy,
    run: (...words) => finish(start(client, words)),
    startClient: (...words) => start(client, words),
    async killServer() {
      const closed = once(server.child, "close");
      server.child.kill("SIGKILL");
      await closed;
      server = await serve(home, argv, env);
    },
    async close() {
      expect(await server.stop()).toBe(0);
      await proxy.close();
      return server.err;
    },
  };
}
