import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Kept } from "../../src/evidence/kept.ts";
import { finish, serve, start } from "../support/built-program.ts";
import { startBucketServer, type BucketServer } from "../support/bucket-server.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { freePort } from "../support/free-port.ts";
import { sha256OfFile, writeRandom } from "../support/kill-and-resume.ts";
import { jpegPhoto } from "../support/media.ts";
import { Recipient } from "../support/recipient.ts";
import { ask, asUser, makeBucket, type S3User } from "../support/s3-user.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(180_000);

const mib = 1024 * 1024;

interface UploadDocument {
  readonly exhibits: readonly {
    readonly bytesSkipped: number;
    readonly receipt: {
      readonly reference: string;
      readonly files: readonly {
        readonly proof: string;
        readonly digest: { readonly sha256: string };
        readonly kept?: Kept;
      }[];
    };
  }[];
}

let ceph: Ceph;
let user: S3User;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-serve-s3-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  await makeBucket(user, "evidence");
});
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true, force: true });
});

function bucketAt(prefix: string, bucket = "evidence"): string {
  return `s3://${bucket}/${prefix}?endpoint=${user.url}`;
}

/** All that a client sends goes by the proxy before the server, which counts it. */
function newPlace(prefix: string): Promise<BucketServer> {
  const home = path.join(folder, prefix);
  return startBucketServer(home, bucketAt(prefix), asUser(user), ["--parts-through-server"]);
}

async function objectsIn(prefix: string): Promise<string[]> {
  const query = `list-type=2&prefix=${prefix}%2F`;
  const { text } = await ask(user, "GET", "/evidence", { query });
  return [...text.matchAll(/<Key>([^<]+)</g)].map(([, key]) => key ?? "");
}

function exhibitsIn(out: string): UploadDocument["exhibits"] {
  return (JSON.parse(out) as UploadDocument).exhibits;
}

it("an exhibit server keeps its content in a bucket: upload, verify, share and download", async () => {
  const place = await newPlace("whole");
  try {
    const files = path.join(place.home, "in");
    await mkdir(files);
    const photo = await jpegPhoto();
    await writeFile(path.join(files, "photo.jpg"), photo);
    const bus = await writeRandom(path.join(files, "bus 42.mp4"), 21 * mib + 7);
    const sending = ["--case", "01AB1234526", "--initials", "ABC", "--part-size", "5M", "--json"];
    const uploaded = await place.run("upload", files, ...sending);
    expect(uploaded).toMatchObject({ code: 0 });
    const sent = exhibitsIn(uploaded.out).flatMap(({ receipt }) => receipt.files);
    expect(sent.map(({ proof }) => proof)).toEqual(["whole", "whole"]);
    expect(sent.map(({ kept }) => kept?.etagIs).sort()).toEqual(["md5", "md5-of-md5s"]);
    const digests = sent.map(({ digest }) => digest.sha256);
    expect(digests.sort()).toEqual([sha256Of(photo), bus].sort());
    const both = ["01AB1234526:ABC/1", "01AB1234526:ABC/2"];
    for (const one of both) {
      // The server's receipt says what the bucket keeps; its clients see no bucket, and read.
      const verified = await place.run("verify", one);
      expect(verified).toMatchObject({ code: 0, out: expect.stringContaining("  OK  re-read  ") });
    }

    const holder = exhibitsIn(uploaded.out).find(({ receipt }) =>
      receipt.files.some(({ digest }) => digest.sha256 === sha256Of(photo)),
    );
    const address = `01AB1234526:${holder?.receipt.reference ?? ""}`;
    const to = ["--to", "Jane Smith", "--email", "jane@cps.example", "--expires", "1d"];
    const shared = await place.run("share", "create", address, ...to, "--access", "view", "--json");
    expect(shared).toMatchObject({ code: 0 });
    const { link, code } = JSON.parse(shared.out) as { link: string; code: string };
    const visitor = new Recipient(link);
    expect((await visitor.give(code)).status).toBe(303);
    const [below] = /x\/[^"]+picture\.jpg/.exec((await visitor.get()).text) ?? [];
    const picture = await visitor.get(below);
    expect([picture.status, picture.headers["content-type"]]).toEqual([200, "image/jpeg"]);
    expect(picture.bytes.equals(photo)).toBe(false);

    const back = path.join(place.home, "back");
    for (const one of both)
      expect(await place.run("download", one, "--to", back)).toMatchObject({ code: 0 });
    const names = await readdir(back, { recursive: true });
    const named = (name: string): string =>
      path.join(back, names.find((one) => one.endsWith(name)) ?? "");
    expect(await sha256OfFile(named("bus 42.mp4"))).toBe(bus);
    expect(await sha256OfFile(named("photo.jpg"))).toBe(sha256Of(photo));

    // Content lies in the bucket alone; nothing unfinished is left, nor anything of the share there.
    expect(await readdir(path.join(place.home, "data", "content"))).toEqual([]);
    const objects = await objectsIn("whole");
    expect(objects.filter((key) => !/^whole\/01AB1234526\/ABC_[12]\//.test(key))).toEqual([
      "whole/.exhibit-server.json",
    ]);
    const open = await ask(user, "GET", "/evidence", { query: "uploads=" });
    expect(open.text).not.toMatch(/<Upload>/);
  } finally {
    await place.close();
  }
});

describe("an upload to it", () => {
  it.each([
    ["the server", "server"],
    ["the server and the client, whose computer lost its state", "both"],
    ["the gateway", "gateway"],
  ] as const)("goes on where it was after SIGKILL of %s", async (_, killed) => {
    const place = await newPlace(`kill-${killed}`);
    try {
      const source = path.join(place.home, "bus.bin");
      const sizeBytes = 64 * mib;
      const sha256 = await writeRandom(source, sizeBytes);
      const argv = [
        ...["upload", source, "--case", "KILL/1", "--ref", "KIL/1", "--json"],
        ...["--part-size", "5M", "--concurrency", "2"],
      ];
      const before = place.proxy.bytesUp;
      const half = place.proxy.whenUp(before + sizeBytes / 2);
      const child = place.startClient(...argv);
      let done = child;
      await half;
      if (killed === "both") {
        const closed = once(child, "close");
        child.kill("SIGKILL");
        await closed;
        for (const name of await readdir(path.join(place.home, "client", "state")))
          await rm(path.join(place.home, "client", "state", name), { recursive: true });
      }
      if (killed === "gateway") {
        await ceph.killGateway();
        await ceph.startGateway();
      } else await place.killServer();
      if (killed === "both") done = place.startClient(...argv);
      const ended = await finish(done);
      expect(ended).toMatchObject({ code: 0 });
      const [sent] = exhibitsIn(ended.out);
      expect(sent?.receipt.files[0]).toMatchObject({ proof: "whole", digest: { sha256 } });
      // Two parts were in flight, once on their way to the server and once more on their way to the bucket, and requests around them.
      const extra = place.proxy.bytesUp - before - sizeBytes;
      expect(extra).toBeLessThan(4 * 5 * mib + 512 * 1024);
      if (killed === "both") expect(sent?.bytesSkipped).toBeGreaterThanOrEqual(15 * mib);
      expect(await place.run("verify", "KILL/1:KIL/1")).toMatchObject({ code: 0 });
    } finally {
      await place.close();
    }
  });
});

it("finds its exhibits again in the bucket, when its database and then its whole data folder is lost", async () => {
  const home = path.join(folder, "lost");
  const [data, invitation, files] = ["data", "invitation", "in"].map((name) =>
    path.join(home, name),
  ) as [string, string, string];
  await mkdir(files, { recursive: true });
  const argv = ["--data", data, "--store", bucketAt("lost"), "--invitation-file", invitation];
  const port = String(await freePort());
  const serveAgain = (...more: string[]): ReturnType<typeof serve> =>
    serve(home, [...argv, ...more, "--port", port], asUser(user));
  const exhibit = async (who: string, words: readonly string[], input = ""): Promise<string> => {
    const child = start(path.join(home, who), words);
    child.stdin.write(input);
    const ended = await finish(child);
    expect({ words, ...ended }).toMatchObject({ code: 0 });
    return ended.out;
  };
  const enrol = async (who: string): Promise<void> => {
    const login = ["login", `http://127.0.0.1:${port}`, "--invite-stdin"];
    await exhibit(who, login, await readFile(invitation, "utf8"));
  };
  const sha256 = {
    "ABC/1": await writeRandom(path.join(files, "1 one part.bin"), 3 * mib),
    "ABC/2": await writeRandom(path.join(files, "2 three parts.bin"), 11 * mib),
  };

  let server = await serveAgain();
  try {
    await enrol("garage");
    const sending = ["--case", "C1", "--initials", "ABC", "--part-size", "5M"];
    await exhibit("garage", ["upload", files, ...sending, "--concurrency", "1"]);
    const keys = await exhibit("garage", ["key", "list", "--json"]);
    const [key] = (JSON.parse(keys) as { keys: { thumbprint: string }[] }).keys;
    for (const [lost, more] of [
      ["exhibit.sqlite", []],
      ["", ["--former-key", key?.thumbprint ?? ""]],
    ] as const) {
      await server.stop();
      // Of a server that stops, nothing is left in files beside the database.
      await rm(path.join(data, lost), { recursive: true });
      await rm(invitation);
      server = await serveAgain("--rebuild-index", ...more);
      const admin = lost === "" ? "second admin" : "first admin";
      await enrol(admin);
      const back = path.join(home, admin, "back");
      for (const [reference, expected] of Object.entries(sha256)) {
        await exhibit(admin, ["verify", `C1:${reference}`, "--deep"]);
        await exhibit(admin, ["download", `C1:${reference}`, "--to", back]);
        const names = await readdir(back, { recursive: true });
        const name = names.find((one) => path.basename(one).startsWith(reference.slice(-1)));
        expect(await sha256OfFile(path.join(back, name ?? ""))).toBe(expected);
      }
    }
  } finally {
    await server.stop();
  }
});

describe("a start of it", () => {
  let place: BucketServer;
  beforeAll(async () => {
    place = await newPlace("taken");
  });
  afterAll(() => place.close());

  async function started(
    data: string,
    store: string | undefined,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number | null; err: string }> {
    const where = path.join(folder, "starts", data);
    const argv = ["serve", "--port", "0", "--data", where];
    const words = store === undefined ? argv : [...argv, "--store", store];
    return finish(start(folder, words, { ...asUser(user), ...env }));
  }

  it.each([
    [
      "a bucket that is not there",
      () => started("a", bucketAt("x", "nowhere")),
      5,
      /no such bucket/,
    ],
    [
      "keys that the engine does not know",
      () => started("b", bucketAt("x"), { AWS_ACCESS_KEY_ID: "UNKNOWN" }),
      4,
      /does not know these keys/,
    ],
    [
      "a secret that is not that of the key",
      () => started("c", bucketAt("x"), { AWS_SECRET_ACCESS_KEY: "wrong" }),
      4,
      /secret key does not belong/,
    ],
    [
      "an endpoint where nothing is",
      async () => started("d", `s3://evidence/x?endpoint=http://127.0.0.1:${await freePort()}`),
      7,
      /could not be reached/,
    ],
    [
      "a prefix of another server",
      () => started("e", bucketAt("taken")),
      8,
      /Another exhibit server keeps its content in s3:\/\/evidence\/taken/,
    ],
    ["a folder", () => started("f", "file:///srv"), 2, /must be the address of a bucket/],
  ] as const)("with %s is refused in words", async (_, attempt, code, words) => {
    const ended = await attempt();
    expect(ended).toMatchObject({ code });
    expect(ended.err).toMatch(words);
  });

  it("with its content in another place than before is refused", async () => {
    const data = path.join(folder, "moved");
    const argv = ["--data", data];
    const first = await serve(folder, [...argv, "--store", bucketAt("moved")], asUser(user));
    expect(await first.stop()).toBe(0);
    const inFolder = await finish(start(folder, ["serve", "--port", "0", ...argv]));
    expect(inFolder).toMatchObject({ code: 2 });
    expect(inFolder.err).toMatch(/content of this data folder is in s3:\/\/evidence\/moved/);
    const elsewhere = ["serve", "--port", "0", ...argv, "--store", bucketAt("empty")];
    const ended = await finish(start(folder, elsewhere, asUser(user)));
    expect(ended).toMatchObject({ code: 5 });
    expect(ended.err).toMatch(/is not in s3:\/\/evidence\/empty/);
  });
});
