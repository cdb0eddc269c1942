// Sends the whole of a small upload as one part and stands still at one of the moments at which the store asks
// whether to go on: node stalling-writer.js FOLDER UPLOAD-JSON BYTES-HEX MOMENT. Says "stalled" before it does; goes
// on with SIGCONT. Runs what `npm run build` made.
import { writeSync } from "node:fs";
import { sha256Of } from "../../dist/evidence/digest.js";
import { openDirectoryStore } from "../../dist/stores/directory/store.js";

const [folder = "", upload = "", hex = "", moment = ""] = process.argv.slice(2);
const bytes = Buffer.from(hex, "hex");
const { signal } = new AbortController();
let asked = 0;
signal.throwIfAborted = () => {
  asked += 1;
  if (asked !== Number(moment)) return;
  writeSync(1, "stalled\n");
  process.kill(process.pid, "SIGSTOP");
};
const store = await openDirectoryStore(folder);
const part = { offset: 0, length: bytes.length, sha256: sha256Of(bytes), bytes };
await store.putPart(JSON.parse(upload), part, signal).then(
  () => writeSync(1, "done\n"),
  (error) => writeSync(1, `${error.code}\n`),
);
