import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import type { Context, Machine } from "./cli/context.ts";
import { run } from "./cli/run.ts";
import { terminalOf, type Terminal } from "./cli/ui/terminal.ts";
import { outliveReaders } from "./main/readers.ts";
import { watchSignals } from "./main/signals.ts";
import { meantArguments } from "./main/windows-arguments.ts";
import type { MachineFacts } from "./platform/paths.ts";

/** Runs the command line of this process and gives its exit code. */
export async function main(process: NodeJS.Process): Promise<number> {
  const terminal = terminalOf(process);
  const unwritten = outliveReaders(process);
  const facts = { platform: process.platform, home: homedir(), env: process.env };
  const version = programVersion();
  const machine = composeMachine(facts, version, terminal);
  const signal = watchSignals(process);
  const context: Context = { terminal, machine, version, signal };
  return run(process.argv.slice(2), context, {
    meant: (argv) => meantArguments(argv, process.platform),
    unwritten,
  });
}

/** The version in package.json, which lies beside `src` as well as beside `dist`. */
export function programVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** What `exhibit` runs; it lies beside `src` as well as beside `dist`. */
function programFile(): string {
  return fileURLToPath(new URL("../bin/exhibit.js", import.meta.url));
}

/** This machine for the commands: each part is loaded when a command first needs it. */
export function composeMachine(facts: MachineFacts, version: string, terminal: Terminal): Machine {
  return {
    async settings(given) {
      const { settleSettings } = await import("./main/client.ts");
      return settleSettings(facts, version, given);
    },
    async client(settings, signal, onEvent) {
      const { composeClient } = await import("./main/client.ts");
      const { warn } = await import("./cli/ui/result.ts");
      return composeClient(facts, version, settings, signal, onEvent, (text) => {
        warn(terminal, text);
      });
    },
    async stores() {
      const { openStoreBook } = await import("./main/client.ts");
      return openStoreBook(facts, version);
    },
    async services() {
      const { servicesOf } = await import("./platform/services/services.ts");
      return servicesOf(facts, [process.execPath, programFile()]);
    },
    async examine(given, signal) {
      const { examineMachine } = await import("./main/machine-doctor.ts");
      return examineMachine(facts, version, given, signal);
    },
    async serve(request, signal) {
      const { composeServer } = await import("./main/server.ts");
      return composeServer(facts, version, request, signal);
    },
    async servers() {
      const { serverKeeping } = await import("./main/server-keeping.ts");
      return serverKeeping(facts, version);
    },
  };
}
