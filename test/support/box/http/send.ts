import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import type { Fault } from "./faults.ts";

/** Puts an answer on the wire, as a fault wants it where there is one. Gives the bytes of its body. */
export async function send(
  to: ServerResponse,
  answer: Answer,
  fault: Fault | undefined,
): Promise<number> {
  const { type, bytes } = bodyOf(answer);
  const size = bytes.reduce((sum, one) => sum + one.length, 0);
  const headers: Record<string, string> = { ...type, ...answer.headers };
  if (answer.status !== 204 && answer.status !== 304) headers["content-length"] ??= String(size);
  to.writeHead(answer.status, headers);
  if (fault !== undefined && "cut" in fault) {
    to.flushHeaders();
    await write(to, Buffer.concat(bytes).subarray(0, Math.floor(size / 2)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    to.destroy();
    return Math.floor(size / 2);
  }
  if (fault !== undefined && "drip" in fault) await drip(to, bytes, fault.drip);
  else for (const one of bytes) if (!(await write(to, one))) return 0;
  to.end();
  return size;
}

function bodyOf(answer: Answer): { type: Record<string, string>; bytes: readonly Buffer[] } {
  if (answer.json !== undefined) {
    const type = { "content-type": "application/json" };
    return { type, bytes: [Buffer.from(JSON.stringify(answer.json))] };
  }
  if (answer.bytes !== undefined) {
    return { type: { "content-type": "application/octet-stream" }, bytes: answer.bytes };
  }
  const text = answer.text ?? "";
  return { type: text === "" ? {} : { "content-type": "text/html" }, bytes: [Buffer.from(text)] };
}

/** Writes at the pace of the reader; false once the reader has gone. */
async function write(to: ServerResponse, bytes: Buffer): Promise<boolean> {
  if (to.destroyed) return false;
  if (to.write(bytes)) return true;
  const gone = new AbortController();
  const closed = () => {
    gone.abort();
  };
  to.once("close", closed);
  try {
    await once(to, "drain", { signal: gone.signal });
    return true;
  } catch {
    return false;
  } finally {
    to.off("close", closed);
  }
}

async function drip(
  to: ServerResponse,
  buffers: readonly Buffer[],
  pace: { readonly bytes: number; readonly everyMs: number },
): Promise<void> {
  for (const buffer of buffers) {
    for (let at = 0; at < buffer.length; at += pace.bytes) {
      if (!(await write(to, buffer.subarray(at, at + pace.bytes)))) return;
      await new Promise((resolve) => setTimeout(resolve, pace.everyMs));
    }
  }
}
