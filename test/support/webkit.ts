import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Builder, Capabilities, type WebDriver } from "selenium-webdriver";
import { freePort } from "./free-port.ts";

/** A WebKitGTK browser on a screen of its own that nobody sees. */
export interface WebKit {
  readonly driver: WebDriver;
  stop(): Promise<void>;
}

/** Starts Debian's MiniBrowser through its driver, on an X server in memory. */
export async function startWebKit(): Promise<WebKit> {
  const screen = spawn(
    "Xvfb",
    ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
    {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    },
  );
  const display = screen.stdio[3];
  if (display === null || display === undefined) throw new Error("Xvfb has no third pipe.");
  const [number] = (await once(display, "data")) as [Buffer];
  const port = await freePort();
  const server = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
    stdio: "ignore",
    // The sandbox wants name spaces that a container does not give; what is opened here is our own.
    env: {
      ...process.env,
      DISPLAY: `:${number.toString().trim()}`,
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
    },
  });
  try {
    await answers(`http://127.0.0.1:${port}/status`);
    const driver = await new Builder()
      .usingServer(`http://127.0.0.1:${port}`)
      .withCapabilities(
        new Capabilities({
          browserName: "MiniBrowser",
          "webkitgtk:browserOptions": { binary: miniBrowser(), args: ["--automation"] },
        }),
      )
      .build();
    return {
      driver,
      async stop() {
        await driver.quit();
        await ended(server);
        await ended(screen);
      },
    };
  } catch (error) {
    await ended(server);
    await ended(screen);
    throw error;
  }
}

function miniBrowser(): string {
  const found = ["4.1", "4.0", "6.0"]
    .map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`)
    .find((file) => existsSync(file));
  if (found === undefined) {
    throw new Error("WebKitGTK is not installed: run node scripts/install-tools.js webkit.");
  }
  return found;
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("WebKitWebDriver does not answer.");
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
