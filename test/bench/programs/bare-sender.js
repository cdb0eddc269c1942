// The floor: sends the files of a plan to an exhibit server and does nothing that can be left out. It is told all digests,
// keeps no journal, seals no record: node bare-sender.js PLAN URL CASE CONCURRENCY PART-BYTES [CA], the token in BARE_TOKEN
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { Agent, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { once } from "node:events";
import { inTurn } from "./in-turn.js";

const [plan = "", url = "", caseReference = "", atOnce = "", partBytes = "", ca] =
  process.argv.slice(2);
const concurrency = Number(atOnce);
/** @type {import("../sources.js").SourceFile[]} */
const files = JSON.parse(readFileSync(plan, "utf8"));
const authorization = `Bearer ${process.env["BARE_TOKEN"] ?? ""}`;
const pool = { keepAlive: true, maxSockets: concurrency };
const agent =
  ca === undefined ? new Agent(pool) : new TlsAgent({ ...pool, ca: readFileSync(ca, "utf8") });
const ask = ca === undefined ? request : tlsRequest;
const sliceBytes = 512 * 1024;
const buffers = Array.from({ length: concurrency }, () => Buffer.alloc(0));

// One file has its parts in flight at once; of many, the files are, each part by part.
const [filesAtOnce, partsAtOnce] = files.length === 1 ? [1, concurrency] : [concurrency, 1];
await inTurn(files, filesAtOnce, sendFile);
agent.destroy();

/**
 * @param {import("../sources.js").SourceFile} file
 * @param {number} fileWorker
 */
async function sendFile(file, fileWorker) {
  const { sizeBytes, sha256 } = file;
  const entry = await call("POST", "/v1/exhibits", {
    case: caseReference,
    sourceId: file.name,
    totalBytes: sizeBytes,
  });
  const segment = entry.reference.replaceAll("/", "_");
  const key = `${caseReference.replaceAll("/", "_")}/${segment}/${segment}-0001.bin`;
  const handle = await open(file.path);
  const readPart = async (
    /** @type {import("../sources.js").Part} */ part,
    /** @type {number} */ worker,
  ) => {
    let buffer = buffers[worker] ?? Buffer.alloc(0);
    if (buffer.length < part.length) {
      buffer = Buffer.allocUnsafeSlow(Math.min(Number(partBytes), sizeBytes));
      buffers[worker] = buffer;
    }
    await handle.read(buffer, 0, part.length, part.offset);
    return buffer.subarray(0, part.length);
  };
  const [only] = file.parts;
  if (file.parts.length === 1 && only !== undefined) {
    await put(`/v1/content/${key}`, await readPart(only, fileWorker), only.sha256);
  } else {
    const upload = await call("POST", "/v1/uploads", {
      key,
      sizeBytes,
      partBytes: Number(partBytes),
    });
    await inTurn(file.parts, partsAtOnce, async (part, partWorker) => {
      const bytes = await readPart(part, fileWorker + partWorker);
      await put(upload.part.url.replace("{offset}", String(part.offset)), bytes, part.sha256);
    });
    await complete(`/v1/uploads/${upload.id}/complete`, sha256);
  }
  await handle.close();
}

/**
 * Asks until it is proved.
 *
 * @param {string} path
 * @param {string} sha256
 */
async function complete(path, sha256) {
  for (;;) {
    const answer = await call("POST", path, { sha256 });
    if (answer.state !== "proving") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<any>}
 */
async function call(method, path, body) {
  const bytes = Buffer.from(JSON.stringify(body));
  return exchange(method, path, { "content-type": "application/json" }, bytes);
}

/**
 * @param {string} path
 * @param {Buffer} bytes
 * @param {string} sha256
 */
async function put(path, bytes, sha256) {
  const digest = `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`;
  const type = "application/octet-stream";
  return exchange("PUT", path, { "content-type": type, "content-digest": digest }, bytes);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {Buffer} bytes
 */
async function exchange(method, path, headers, bytes) {
  const sending = ask(new URL(path, `${url}/`), {
    method,
    agent,
    headers: { ...headers, authorization, "content-length": bytes.length },
  });
  const answered = once(sending, "response");
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    const slice = bytes.subarray(at, at + sliceBytes);
    if (!sending.write(slice) && at + sliceBytes < bytes.length) await once(sending, "drain");
  }
  sending.end();
  /** @type {[import("node:http").IncomingMessage]} */
  const [response] = /** @type {any} */ (await answered);
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += piece;
  if ((response.statusCode ?? 500) >= 300) throw new Error(`${method} ${path}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
