import { badRequest } from "./answer.ts";

/** One part of a `multipart/form-data` body. */
export interface FormPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly bytes: Buffer;
}

/** The parts of a form, in their order. */
export function formParts(contentType: string | undefined, body: Buffer): readonly FormPart[] {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? "") ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined || !/^multipart\/form-data/i.test(contentType ?? "")) {
    throw badRequest("The body is not multipart/form-data");
  }
  const line = Buffer.from(`--${boundary}`);
  const next = Buffer.from(`\r\n--${boundary}`);
  const parts: FormPart[] = [];
  let at = body.indexOf(line);
  if (at < 0) throw badRequest("The body has no part");
  at += line.length;
  while (body.subarray(at, at + 2).toString() !== "--") {
    const headersEnd = body.indexOf("\r\n\r\n", at);
    const end = headersEnd < 0 ? -1 : body.indexOf(next, headersEnd + 2);
    if (end < 0) throw badRequest("The body ends within a part");
    const head = body.subarray(at, headersEnd).toString();
    const [, name = ""] = /[;\s]name="([^"]*)"/i.exec(head) ?? [];
    const [, filename] = /[;\s]filename="([^"]*)"/i.exec(head) ?? [];
    parts.push({ name, filename, bytes: body.subarray(headersEnd + 4, end) });
    at = end + next.length;
  }
  return parts;
}
