import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { clip } from "../media.ts";
import type { Answer, Shell } from "./shell.ts";
import { serverUrl, type Newcomer, type Town } from "./town.ts";

/** What a word in a guide stands for. */
export type Words = Record<string, string>;

/** What a guide takes for granted of the person who reads it. */
export interface Person {
  /** The force's server runs already. */
  readonly withServer: boolean;
  /** What lies on the person's computer. */
  readonly files?: Readonly<Record<string, Buffer | string>>;
  /** What words of the guide stand for on this computer. */
  readonly words?: Words;
  /** What was done before, by others; and what further words of the guide stand for. */
  prepare?(town: Town, computer: Newcomer): Promise<Words>;
  /** What is typed when a command asks. */
  readonly answers?: readonly (readonly [command: RegExp, answers: readonly Answer[]])[];
  /** Commands that stay until Ctrl-C, and what they show once they are ready. */
  readonly stays?: readonly (readonly [command: RegExp, shows: RegExp])[];
  /** Commands that end with another exit code than 0, as the guide says. */
  readonly ends?: readonly (readonly [command: RegExp, code: number])[];
  /** Notes down what is shown only once, for words of later commands. */
  seen?(command: string, screen: string, facts: Words, window: Shell): void | Promise<void>;
}

/** A council's host, for as long as the tests run: it gives the same footage at every link. */
async function council(folder: string): Promise<string> {
  const pem = (name: string): Promise<Buffer> => readFile(path.join(folder, name));
  const tls = { cert: await pem("cert.pem"), key: await pem("key.pem") };
  const server = createServer(tls, (_request, response) => response.end(video));
  server.listen(0, "127.0.42.1").unref();
  await once(server, "listening");
  return `127.0.42.1:${(server.address() as AddressInfo).port}`;
}

const video = await readFile(await clip("plain"));

export const people: Readonly<Record<string, Person>> = {
  "garage.md": {
    withServer: true,
    files: { "Export/bus 42.mp4": video, "Export/bus 43.mp4": Buffer.from("another recording") },
    words: { "D:\\Export\\": "Export/", "D:\\Export": "Export" },
    prepare: async (town) => ({ INVITATION: await town.invite("partner") }),
    answers: [[/^exhibit login/, [["nvitation", "INVITATION"]]]],
    seen(_, screen, facts) {
      const receipt = /(\S*\/receipts\/\S*\.json)/.exec(screen)?.[1];
      if (receipt !== undefined) facts['"ABC_1.receipt.json"'] ??= receipt;
    },
  },
  "control-room.md": {
    withServer: true,
    files: {
      "call-20261121-1830.wav": "a call",
      "export/one.wav": "one",
      "export/two.wav": "two",
      "calls.csv": [
        "file;case;source-id;title;recorded-from;recorded-to",
        "export/one.wav;CAD 1234/21NOV26;call-1;First call;21/11/2026 18:30;21/11/2026 18:34",
        "export/two.wav;CAD 1240/21NOV26;call-2;;21/11/2026 19:02;",
      ].join("\n"),
    },
    words: { "/etc/exhibit/": "./" },
    async prepare(town, { folder }) {
      await writeFile(path.join(folder, "invitation.txt"), await town.invite("partner"));
      return { " /export": ` ${folder}/export` };
    },
  },
  "officer.md": {
    withServer: true,
    async prepare(town, { folder }) {
      const file = path.join(town.folder, "night bus.mp4");
      await writeFile(file, video);
      await town.asAdmin(["upload", file, "--case", "01AB1234526", "--ref", "ABC/1"]);
      const host = await council(town.folder);
      await writeFile(path.join(folder, "link.txt"), `https://${host}/cctv-7.mp4?sig=secret\n`);
      return {
        INVITATION: await town.invite("officer"),
        "media.avonshire.gov.uk": `${host}=127.0.42.1/32`,
      };
    },
    stays: [[/^exhibit inbox --follow/, /Ctrl-C stops/]],
    answers: [
      [/^exhibit login/, [["nvitation", "INVITATION"]]],
      [
        /^exhibit share create/,
        [
          ["name", "Robin Reader"],
          ["mail", "robin.reader@cps.example"],
        ],
      ],
    ],
    seen(_, screen, facts) {
      const share = /\b(S[0-9A-Z]{8,})\b/.exec(screen)?.[1];
      if (share !== undefined) facts["SHARE"] = share;
    },
  },
  "recipient.md": { withServer: true },
  "security-officer.md": {
    withServer: true,
    async prepare(town, { folder }) {
      await writeFile(path.join(folder, "invitation.txt"), await town.invite("admin"));
      return {};
    },
    seen(command, _, facts) {
      // The second time the same command is typed, the file is another.
      if (command.includes("tesT")) facts["receipt verify"] = "receipt  verify";
    },
    ends: [[/receipt {2}verify/, 6]],
  },
  "monitoring.md": {
    withServer: true,
    words: { "/etc/exhibit/": "./" },
    async prepare(town, { folder }) {
      await writeFile(path.join(folder, "invitation.txt"), await town.invite("officer"));
      return {};
    },
    stays: [[/^exhibit serve /, /Ctrl-C stops it/]],
  },
  "migration.md": {
    withServer: true,
    files: {
      "export/2019/one.avi": "one",
      "export/2019/two.avi": "two",
      "legacy.csv":
        "file,case,source-id\nexport/2019/one.avi,OLD/1,7\nexport/2019/two.avi,OLD/2,8\n",
    },
    async prepare(town, { folder }) {
      await writeFile(path.join(folder, "invitation.txt"), await town.invite("officer"));
      return { " /export": ` ${folder}/export` };
    },
  },
  "administrator.md": {
    withServer: false,
    files: {
      "smtp-password": "correct horse\n",
      "roles.json": JSON.stringify({
        schema: "exhibit.role-map/1",
        rules: [{ claim: "roles", value: "Exhibit.Officer", role: "officer" }],
      }),
    },
    words: {
      "/srv/exhibit": "srv/exhibit",
      TENANT_ID: "3f2b8c1e-0000-4000-8000-000000000001",
      CLIENT_ID: "3f2b8c1e-0000-4000-8000-000000000002",
    },
    async prepare(town, { folder }) {
      await mkdir(path.join(folder, "srv", "exhibit"), { recursive: true });
      for (const name of ["cert.pem", "key.pem"]) {
        await copyFile(path.join(town.folder, name), path.join(folder, name));
      }
      return {};
    },
    stays: [[/^exhibit serve /, /Ctrl-C stops it/]],
    answers: [
      [/^exhibit login .*--key-file/, [["yes", "yes"]]],
      [/^exhibit login/, [["nvitation", "INVITATION"]]],
    ],
    async seen(command, screen, facts, window) {
      const code = /ex1\.[\w.-]+/.exec(screen)?.[0];
      if (command.startsWith("exhibit serve") && code !== undefined) facts["INVITATION"] = code;
      if (!command.includes("invite create --role officer") || code === undefined) return;
      const login = `exhibit login ${serverUrl} --invite-stdin --json`;
      await window.run(`echo ${code} | EXHIBIT_KEY_FILE=$PWD/officer.json ${login}`);
      const { screen: listed } = await window.run("exhibit identity list --json");
      const { identities } = JSON.parse(listed) as { identities: { id: string; role: string }[] };
      facts["revoke ID"] =
        `revoke ${identities.find(({ role }) => role === "officer")?.id ?? "nobody"}`;
    },
  },
};
