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

/** A request that will carry its signature in its query, beside what `query` has. */
export interface Presigned extends Omit<Unsigned, "query"> {
  readonly query: Readonly<Record<string, string>>;
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
    const signed = signedNames(request.headers);
    const signature = this.#signature(request, keys.secretAccessKey, time);
    return `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${this.#scope(time)}, SignedHeaders=${signed}, Signature=${signature}`;
  }

  /**
   * The query of an address that holds its own signature: whoever has it may make this one request, with these headers, for so
   * many seconds from `time` on, which is as {@link amzDate} writes it. It is a secret.
   */
  presignedQuery(
    { query, ...request }: Presigned,
    keys: Keys,
    time: string,
    lifeSeconds: number,
  ): string {
    const { accessKeyId, secretAccessKey, sessionToken } = keys;
    const whole = canonicalQuery({
      ...query,
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": `${accessKeyId}/${this.#scope(time)}`,
      "X-Amz-Date": time,
      "X-Amz-Expires": String(lifeSeconds),
      ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
      "X-Amz-SignedHeaders": signedNames(request.headers),
    });
    const signature = this.#signature({ ...request, query: whole }, secretAccessKey, time);
    return `${whole}&X-Amz-Signature=${signature}`;
  }

  #scope(time: string): string {
    return `${time.slice(0, 8)}/${this.#region}/${this.#service}/aws4_request`;
  }

  #signature(request: Unsigned, secret: string, time: string): string {
    const signed = signedNames(request.headers);
    const lines = signed
      .split(";")
      .map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`)
      .join("");
    const canonical = `${request.method}\n${request.path}\n${request.query}\n${lines}\n${signed}\n${request.payload}`;
    const digest = createHash("sha256").update(canonical).digest("hex");
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${this.#scope(time)}\n${digest}`;
    return mac(this.#keyFor(secret, time.slice(0, 8)), toSign).toString("hex");
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

function signedNames(headers: Readonly<Record<string, string>>): string {
  return Object.keys(headers).sort().join(";");
}

function mac(key: BinaryLike, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
