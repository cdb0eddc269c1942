import { createHash, createHmac, type BinaryLike } from "node:crypto";

/** Somebody with keys, and the engine they are for. */
export interface S3User {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Asked {
  readonly status: number;
  readonly text: string;
}

/** The keys as the environment of a program, where no others are to be found. */
export function asUser({ accessKeyId, secretAccessKey }: S3User): NodeJS.ProcessEnv {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CA_BUNDLE: "",
  };
}

/**
 * One request to an engine, signed here and not by the product: to set things up, and to look at what it did. `query` as it
 * stands behind the question mark, its names in order, with a `=` behind each.
 */
export async function ask(
  { url, accessKeyId, secretAccessKey }: S3User,
  method: string,
  path: string,
  { query = "", headers = {}, body = "" }: AskedWith = {},
): Promise<Asked> {
  const sha256 = createHash("sha256").update(body).digest("hex");
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const signed: Record<string, string> = {
    ...headers,
    host: new URL(url).host,
    "x-amz-content-sha256": sha256,
    "x-amz-date": time,
  };
  const names = Object.keys(signed).sort();
  const lines = names.map((name) => `${name}:${signed[name] ?? ""}`);
  const canonical = [method, path, query, ...lines, "", names.join(";"), sha256].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const key = scope
    .split("/")
    .reduce<BinaryLike>((secret, word) => mac(secret, word), `AWS4${secretAccessKey}`);
  const signature = mac(key, ["AWS4-HMAC-SHA256", time, scope, digest].join("\n")).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const answer = await fetch(`${url}${path}${query === "" ? "" : `?${query}`}`, {
    method,
    headers: { ...signed, authorization },
    ...(method === "GET" ? {} : { body }),
  });
  return { status: answer.status, text: await answer.text() };
}

export interface AskedWith {
  readonly query?: string;
  /** Names in small letters. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A new bucket. @throws Error where the engine refuses it */
export async function makeBucket(
  user: S3User,
  name: string,
  kind: "plain" | "versioned" | "locked" | "GOVERNANCE" | "COMPLIANCE" = "plain",
): Promise<void> {
  const locks = kind !== "plain" && kind !== "versioned";
  const headers = locks ? { "x-amz-bucket-object-lock-enabled": "true" } : {};
  await succeed(user, "PUT", `/${name}`, { headers });
  if (kind === "versioned") {
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    await succeed(user, "PUT", `/${name}`, { query: "versioning=", body });
  }
  if (kind === "GOVERNANCE" || kind === "COMPLIANCE") {
    const rule = `<Rule><DefaultRetention><Mode>${kind}</Mode><Days>1</Days></DefaultRetention></Rule>`;
    const body = `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule}</ObjectLockConfiguration>`;
    await succeed(user, "PUT", `/${name}`, { query: "object-lock=", body });
  }
}

/** As {@link ask}, for what must work. */
export async function succeed(...request: Parameters<typeof ask>): Promise<string> {
  const { status, text } = await ask(...request);
  if (status < 300) return text;
  throw new Error(`${request[1]} ${request[2]}: ${status} ${text}`);
}

function mac(key: BinaryLike, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
