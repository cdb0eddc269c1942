import { createHash, createHmac, type BinaryLike } from "node:crypto";

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A request as it will go out. */
export interface Unsigned {
  readonly method: string;
  /** The path as it is sent: encoded, with its leading slash. */
  readonly path: string;
  /** The query as it is sent: see {@link canonicalQuery}. */
  readonly query: string;
  /** Names in small letters; `host` among them. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hex. */
  readonly payload: string;
}

/**
 * Signs requests by AWS Signature Version 4 for one region and service. The key is derived once a day and set of keys: signing
 * a request costs two digests then, of which neither touches its body.
 */
export class Signer {
  readonly #region: string;
  readonly #service: string;
  #derived: { readonly from: string; readonly key: Buffer } | undefined;

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
  }

  /** The value of the `authorization` header. `headers` has `x-amz-date`, as {@link amzDate} writes it. */
  authorization(request: Unsigned, keys: Keys): string {
    const time = request.headers["x-amz-date"] ?? "";
    const day = time.slice(0, 8);
    const scope = `${day}/${this.#region}/${this.#service}/aws4_request`;
    const names = Object.keys(request.headers).sort();
    const signed = names.join(";");
    const lines = names
      .map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`)
      .join("");
    const canonical = `${request.method}\n${request.path}\n${request.query}\n${lines}\n${signed}\n${request.payload}`;
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
    const signature = mac(this.#keyFor(keys.secretAccessKey, day), toSign).toString("hex");
    return `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
  }

  #keyFor(secret: string, day: string): Buffer {
    const from = `${day}${secret}`;
    if (this.#derived?.from === from) return this.#derived.key;
    const steps = [day, this.#region, this.#service, "aws4_request"];
    const key = steps.reduce<BinaryLike>((key, step) => mac(key, step), `AWS4${secret}`) as Buffer;
    this.#derived = { from, key };
    return key;
  }
}

/** A time as the signature has it: `20130524T000000Z`. */
export function amzDate(time: Date): string {
  return time.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** A query in the one form that can be signed: encoded, in order of names, each with its `=`. */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");
}

/** Everything but the letters, digits and signs that a URL may have anywhere (RFC 3986 section 2.3) is encoded. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function mac(key: BinaryLike, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
