// The floor at an S3 store: sends the files of a plan, each part with its SHA-256 signed (AWS Signature Version 4), and does nothing
// that can be left out: no journal, no digest of the whole, no record.
// node bare-s3-sender.js PLAN ENDPOINT BUCKET CONCURRENCY PART-BYTES, the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { Agent, request } from "node:http";
import { inTurn } from "./in-turn.js";

const [plan = "", endpoint = "", bucket = "", atOnce = "", partText = ""] = process.argv.slice(2);
const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "" } = process.env;
const [concurrency, partBytes] = [Number(atOnce), Number(partText)];
/** @type {import("../sources.js").SourceFile[]} */
const files = JSON.parse(readFileSync(plan, "utf8"));
const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
const { host } = new URL(endpoint);
const region = "us-east-1";
const nothing = Buffer.alloc(0);

/** @param {Uint8Array | string} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
/** @param {Buffer | string} key @param {string} text */
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
/** @param {string} text */
const escaped = (text) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** The key of a day. @type {Map<string, Buffer>} */
const keys = new Map();

/** @param {string} day */
function keyOf(day) {
  const known = keys.get(day);
  if (known !== undefined) return known;
  const key = [region, "s3", "aws4_request"].reduce(hmac, hmac(`AWS4${secret}`, day));
  keys.set(day, key);
  return key;
}

/**
 * @param {string} method
 * @param {string} key
 * @param {Record<string, string>} query
 * @param {Buffer} body
 */
async function send(method, key, query, body) {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const hash = sha256(body);
  const path = `/${bucket}/${key.split("/").map(escaped).join("/")}`;
  const search = Object.entries(query)
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join("&");
  const headers = { host, "x-amz-content-sha256": hash, "x-amz-date": time };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`);
  const scope = `${day}/${region}/s3/aws4_request`;
  const canonical = [method, path, search, ...lines, "", names, hash].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const signature = hmac(keyOf(day), text).toString("hex");
  const sending = request(`${endpoint}${path}${search === "" ? "" : `?${search}`}`, {
    method,
    agent,
    headers: {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
      "content-length": body.length,
    },
  });
  sending.end(body);
  /** @type {[import("node:http").IncomingMessage]} */
  const [answer] = /** @type {any} */ (await once(sending, "response"));
  let said = "";
  for await (const piece of answer.setEncoding("utf8")) said += piece;
  if ((answer.statusCode ?? 500) >= 300) throw new Error(`${method} ${path}: ${said}`);
  return { said, etag: answer.headers.etag ?? "" };
}

/** @param {string} text @param {string} name */
function elementIn(text, name) {
  return new RegExp(`<${name}>([^<]*)`).exec(text)?.[1] ?? "";
}

const buffers = Array.from({ length: concurrency }, () => Buffer.alloc(0));

/**
 * @param {import("node:fs/promises").FileHandle} handle
 * @param {number} offset
 * @param {number} length
 * @param {number} worker
 */
async function read(handle, offset, length, worker) {
  let buffer = buffers[worker] ?? nothing;
  if (buffer.length < length) {
    buffer = Buffer.allocUnsafeSlow(length);
    buffers[worker] = buffer;
  }
  await handle.read(buffer, 0, length, offset);
  return buffer.subarray(0, length);
}

/**
 * @param {import("../sources.js").SourceFile} file
 * @param {number} worker
 */
async function sendFile({ path, name, sizeBytes }, worker) {
  const handle = await open(path);
  if (sizeBytes <= partBytes) {
    await send("PUT", name, {}, await read(handle, 0, sizeBytes, worker));
  } else {
    const uploadId = elementIn(
      (await send("POST", name, { uploads: "" }, nothing)).said,
      "UploadId",
    );
    const parts = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, index) => ({
      index,
      etag: "",
    }));
    await inTurn(parts, concurrency, async (part, partWorker) => {
      const offset = part.index * partBytes;
      const bytes = await read(handle, offset, Math.min(partBytes, sizeBytes - offset), partWorker);
      const query = { partNumber: String(part.index + 1), uploadId };
      part.etag = (await send("PUT", name, query, bytes)).etag;
    });
    const list = parts
      .map(
        ({ index, etag }) =>
          `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
      )
      .join("");
    const body = Buffer.from(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`);
    const { said } = await send("POST", name, { uploadId }, body);
    if (said.includes("<Error>")) throw new Error(said);
  }
  await handle.close();
}

await inTurn(files, files.length === 1 ? 1 : concurrency, sendFile);
agent.destroy();
