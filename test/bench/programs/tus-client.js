// Sends the files of a plan with tus-js-client: node tus-client.js PLAN ENDPOINT CONCURRENCY CHUNK-BYTES [CA]
import { createReadStream, readFileSync } from "node:fs";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { DefaultHttpStack, Upload } from "tus-js-client";
import { inTurn } from "./in-turn.js";

const [plan = "", endpoint = "", concurrency = "", chunkBytes = "", ca] = process.argv.slice(2);
/** @type {import("../sources.js").SourceFile[]} */
const files = JSON.parse(readFileSync(plan, "utf8"));
const pool = { keepAlive: true, maxSockets: Number(concurrency) };
const agent =
  ca === undefined ? new Agent(pool) : new TlsAgent({ ...pool, ca: readFileSync(ca, "utf8") });
const httpStack = new DefaultHttpStack({ agent });

await inTurn(files, Number(concurrency), (file) => {
  return new Promise((resolve, reject) => {
    const upload = new Upload(createReadStream(file.path), {
      endpoint,
      httpStack,
      chunkSize: Number(chunkBytes),
      uploadDataDuringCreation: true,
      metadata: { filename: file.name },
      onSuccess: resolve,
      onError: reject,
    });
    upload.start();
  });
});
agent.destroy();
