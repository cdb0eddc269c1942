import { createHash } from "node:crypto";
import { expect } from "@jest/globals";
import { fetch, FormData } from "undici";
import type { Box } from "./box.ts";
import type { User } from "./accounts/users.ts";
import type { Json } from "./http/json.ts";

/** What a simulated Box said. */
export interface Said {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** Empty where the answer is not JSON. */
  readonly json: Json;
}

export interface Asked {
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly body?: Buffer | URLSearchParams | FormData;
}

/** Asks a simulated Box by hand, with no client in between to make good what is wrong. */
export class Asking {
  token: string;
  readonly box: Box;

  constructor(box: Box, user: User) {
    this.box = box;
    this.token = box.developerToken(user);
  }

  /** The same, as somebody else. */
  as(user: User): Asking {
    return new Asking(this.box, user);
  }

  /** The same, with a token of one's own. */
  with(token: string): Asking {
    const other = new Asking(this.box, this.box.users.officer);
    other.token = token;
    return other;
  }

  api(method: string, path: string, asked: Asked = {}): Promise<Said> {
    return this.at(`${this.box.apiUrl}/2.0${path}`, method, asked);
  }

  upload(method: string, path: string, asked: Asked = {}): Promise<Said> {
    return this.at(`${this.box.uploadUrl}/api/2.0${path}`, method, asked);
  }

  /** `POST /oauth2/token`, with the application's id and secret unless others are given. */
  grant(form: Record<string, string>, path = "token"): Promise<Said> {
    const { clientId, clientSecret } = this.box.app;
    const all = { client_id: clientId, client_secret: clientSecret, ...form };
    const body = new URLSearchParams(all);
    return this.at(`${this.box.apiUrl}/oauth2/${path}`, "POST", { body });
  }

  async at(url: string, method: string, { headers = {}, json, body }: Asked = {}): Promise<Said> {
    const type = json === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(url, {
      method,
      redirect: "manual",
      headers: {
        authorization: `Bearer ${this.token}`,
        "user-agent": "probe",
        ...type,
        ...headers,
      },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
    });
    const text = await answer.text();
    return { status: answer.status, headers: new Map(answer.headers), text, json: parsed(text) };
  }

  /** Makes a session for a file of so many bytes. */
  async session(name: string, size: number, folder = "0"): Promise<UploadSession> {
    const json = { folder_id: folder, file_size: size, file_name: name };
    const said = await this.upload("POST", "/files/upload_sessions", { json });
    if (said.status !== 201) throw new Error(said.text);
    const endpoints = said.json["session_endpoints"] as Record<string, string>;
    const { upload_part: part = "", commit = "", list_parts: list = "" } = endpoints;
    return { id: String(said.json["id"]), part, commit, list, size };
  }

  /** Sends one part, as it should be unless `wrong` says otherwise. */
  part(
    session: UploadSession,
    offset: number,
    bytes: Buffer,
    wrong: { readonly digest?: string; readonly range?: string } = {},
  ): Promise<Said> {
    const range = `bytes ${offset}-${offset + bytes.length - 1}/${session.size}`;
    const headers = {
      digest: wrong.digest ?? digestOf(bytes),
      "content-range": wrong.range ?? range,
      "content-type": "application/octet-stream",
    };
    return this.at(session.part, "PUT", { headers, body: bytes });
  }

  commit(session: UploadSession, parts: readonly unknown[], digest: string): Promise<Said> {
    return this.at(session.commit, "POST", { headers: { digest }, json: { parts } });
  }

  /** Uploads a small file, and gives its id. */
  async file(name: string, content = "abc", folder = "0"): Promise<string> {
    const form = new FormData();
    form.set("attributes", JSON.stringify({ name, parent: { id: folder } }));
    form.set("file", new Blob([content]), name);
    const said = await this.upload("POST", "/files/content", { body: form });
    if (said.status !== 201) throw new Error(said.text);
    return String((said.json["entries"] as Json[])[0]?.["id"]);
  }
}

export interface UploadSession {
  readonly id: string;
  readonly part: string;
  readonly commit: string;
  readonly list: string;
  readonly size: number;
}

export function digestOf(bytes: Buffer): string {
  return `sha=${createHash("sha1").update(bytes).digest("base64")}`;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

/** Holds an answer to be a refusal, for the reason given by its code. */
export function expectRefused(said: Said, status: number, code?: string): void {
  expect(said).toMatchObject({ status, json: code === undefined ? {} : { status, code } });
}
