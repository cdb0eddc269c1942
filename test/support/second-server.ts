import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A server in a process of its own; it has its own key. */
export interface SecondServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a second process on a server's folder. @throws Error when it ends before it listens */
export async function startSecondServer(folder: string, publicUrl: string): Promise<SecondServer> {
  const script = fileURLToPath(new URL("second-server.js", import.meta.url));
  const child = spawn(process.execPath, [script, folder, publicUrl], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [url] = (await Promise.race([
    once(lines, "line"),
    exited.then(([code]) => {
      throw new Error(`The second server ended with ${String(code)}.`);
    }),
  ])) as [string];
  return {
    url,
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}
