// A process of its own that uses a store's login: with each line that comes in it asks Box who it is, and says so on a line.
// It is the built program's own composition, without a command line.
import { createInterface } from "node:readline";
import { homedir } from "node:os";

// Loaded by address: what the build makes is not there when types are checked.
const { composeMachine } = await import(new URL("../../dist/bundle/main.js", import.meta.url).href);

const [store] = process.argv.slice(2);
const facts = { platform: process.platform, home: homedir(), env: process.env };
const terminal = { error: process.stderr, color: false };
const machine = composeMachine(facts, "0.1.0", terminal);
const { settings } = await machine.settings({});
const { signal } = new AbortController();
const client = await machine.client(settings, signal, () => undefined);
const place = await client.locate(store);
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "end") break;
  try {
    const { account } = await client.signIn.signedIn(place, signal);
    process.stdout.write(`${account.id}\n`);
  } catch (error) {
    process.stdout.write(`${String(error.code)} ${String(error.message)}\n`);
  }
}
await client.close();
