import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import sharp from "sharp";
import { request } from "undici";
import { CodeAttempts } from "../../../src/server/shares/code-attempts.ts";
import { kindsOfFiles } from "../../../src/server/shares/file-kinds.ts";
import { LateLog } from "../../../src/server/shares/late-log.ts";
import { LiveShares } from "../../../src/server/shares/live-shares.ts";
import { watchShares } from "../../../src/server/shares/share-watch.ts";
import { readSealed } from "../../../src/server/shares/shared-exhibits.ts";
import { createRenditions } from "../../../src/server/watermark/renditions.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { coded, type CodedShare } from "../../support/coded-share.ts";
import { clip, jpegPhoto, pdfStatement } from "../../support/media.ts";
import { MovingClock } from "../../support/moving-clock.ts";
import { Recipient } from "../../support/recipient.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const day = 86_400_000;
const [video, photo, statement, call] = [1, 2, 3, 4];

describe("a share for viewing", () => {
  const clock = new MovingClock();
  let server: TestServer;
  let officer: Person;
  let exhibit: Awaited<ReturnType<typeof sealedExhibit>>;
  let masters: readonly Buffer[];

  beforeAll(async () => {
    server = await startServer({ clock });
    officer = await server.enrol("officer");
    masters = [
      await readFile(await clip("small")),
      await jpegPhoto(),
      await pdfStatement(),
      await readFile(await clip("call")),
    ];
    const names = ["07700900123 cam.mp4", "photo.jpg", "statement.pdf", "07700900123.wav"];
    exhibit = await sealedExhibit(
      server,
      officer,
      masters.map((bytes, index) => ({
        path: names[index] ?? "",
        mediaType: "application/octet-stream",
        bytes,
      })),
    );
  });
  afterAll(() => server.stop());

  async function opened(exhibits = [exhibit]): Promise<{ made: CodedShare; visitor: Recipient }> {
    const made = await coded(
      sharingOf(officer.session).create(
        {
          exhibits,
          recipient: { name: "Jane Smith", email: "jane@cps.example" },
          access: "view",
          expiresAt: new Date(Date.now() + day).toISOString(),
          purpose: undefined,
        },
        soon(),
      ),
    );
    const visitor = new Recipient(made.link);
    expect((await visitor.give(made.code)).status).toBe(303);
    return { made, visitor };
  }

  function below(ordinal: number, name: string): string {
    return `x/${exhibit.id}/${ordinal}/${name}`;
  }

  function isMaster(bytes: Buffer): boolean {
    return masters.some((master) => master.equals(bytes));
  }

  /** The folders that hold copies made for shares. */
  async function copiesOnDisk(): Promise<string[]> {
    const names = await readdir(path.join(server.folder, "scratch"));
    return names.filter((name) => /^S[0-9A-Z]{9}$/.test(name));
  }

  it("shows marked copies of each kind, says what was seen, and leaves nothing of them when it is revoked", async () => {
    const { made, visitor } = await opened();
    const page = await visitor.get();
    expect(page.text).toMatch(/<video[^>]*>.*<img[^>]*>.*document\.pdf.*<audio[^>]*>/s);
    expect(page.text).not.toMatch(/07700900123|statement\.pdf|Download|record\.json/);

    const playlist = await visitor.get(below(video, "video.m3u8"));
    expect(playlist.headers["content-type"]).toBe("application/vnd.apple.mpegurl");
    expect(playlist.text).toMatch(/^#EXTM3U.*\nsegment\/0\n.*\nsegment\/2\n#EXT-X-ENDLIST\n$/s);
    const copies = [
      [below(video, "segment/0"), "video/mp2t"],
      [below(video, "segment/2"), "video/mp2t"],
      [below(photo, "picture.jpg"), "image/jpeg"],
      [below(statement, "document.pdf"), "application/pdf"],
      [below(call, "recording.mp3"), "audio/mpeg"],
    ] as const;
    for (const [address, type] of copies) {
      const copy = await visitor.get(address);
      expect([address, copy.status, copy.headers["content-type"]]).toEqual([address, 200, type]);
      expect(copy.headers["cache-control"]).toBe("no-store");
      expect(isMaster(copy.bytes)).toBe(false);
    }
    const picture = await visitor.get(below(photo, "picture.jpg"));
    expect((await sharp(picture.bytes).metadata()).format).toBe("jpeg");
    const some = await visitor.get(below(call, "recording.mp3"), { range: "bytes=0-99" });
    expect([some.status, some.bytes.length]).toEqual([206, 100]);
    expect(some.headers["content-range"]).toMatch(/^bytes 0-99\/\d+$/);

    const { events: log } = await sharingOf(officer.session).log(made.share.id, soon());
    const seen = log.filter(({ kind }) => /segment|viewed/.test(kind));
    expect(seen.map(({ kind, detail }) => [kind, detail?.replace(/, last at .*/, "")])).toEqual([
      ["exhibit-viewed", undefined],
      ["segment", "file 1, about 0:00:00 to 0:00:02, 0:00:04 to 0:00:06, 2 times"],
      ["file-viewed", "file 2, 2 times"],
      ["file-viewed", "file 3"],
      ["file-viewed", "file 4, 2 times"],
    ]);

    expect(await copiesOnDisk()).toEqual([made.share.id]);
    const revocation = await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    expect(revocation).toMatchObject({ sessionsCut: 1, streamsCut: 1, originalsTaken: 0 });
    expect(await copiesOnDisk()).toEqual([]);
    for (const [address] of copies) expect((await visitor.get(address)).status).toBe(410);
    expect(await copiesOnDisk()).toEqual([]);
  });

  it("gives no original, by any address", async () => {
    const { visitor } = await opened();
    const addresses = [
      ...[video, photo, statement, call].map((ordinal) => below(ordinal, "original")),
      `x/${exhibit.id}/record.json`,
      `x/${exhibit.id}/receipt.json`,
      below(video, "picture.jpg"),
      below(photo, "document.pdf"),
      below(photo, "video.m3u8"),
      below(video, "segment/3"),
      below(video, "segment/-1"),
      below(video, "segment/0x0"),
    ];
    for (const address of addresses) {
      const seen = await visitor.get(address);
      expect([address, seen.status]).toEqual([address, 404]);
      expect(isMaster(seen.bytes)).toBe(false);
    }
  });

  it("breaks off a segment that is being made when it is revoked", async () => {
    const { made, visitor } = await opened();
    const segment = visitor.get(below(video, "segment/1"));
    const revoked = await segmentIsAskedFor(made).then(() =>
      sharingOf(officer.session).revoke(made.share.id, undefined, soon()),
    );
    const seen = await segment;
    expect([seen.status, seen.text]).toEqual([410, "This link has ended.\n"]);
    expect(revoked.streamsCut).toBe(1);
    expect(await copiesOnDisk()).toEqual([]);
  });

  it("goes on making what is asked for when another exhibit is taken out meanwhile", async () => {
    const other = await sealedExhibit(server, officer, [
      { path: "b.jpg", mediaType: "image/jpeg", bytes: await jpegPhoto() },
    ]);
    const { made, visitor } = await opened([exhibit, other]);
    const segment = visitor.get(below(video, "segment/1"));
    await segmentIsAskedFor(made);
    await sharingOf(officer.session).revoke(made.share.id, other.id, soon());
    const seen = await segment;
    expect([seen.status, seen.headers["content-type"]]).toEqual([200, "video/mp2t"]);
  });

  /** Settles when the share has a folder for its copies: something is being made for it. */
  async function segmentIsAskedFor(made: CodedShare): Promise<void> {
    while (!(await copiesOnDisk()).includes(made.share.id)) await new Promise(setImmediate);
  }

  it("leaves nothing on the disk when its time is over and nobody asks", async () => {
    const { made, visitor } = await opened();
    await visitor.get(below(photo, "picture.jpg"));
    expect(await copiesOnDisk()).toContain(made.share.id);
    const events = await request(`${visitor.link}/events`, {
      headers: { cookie: visitor.cookie ?? "" },
    });
    await clock.later(2 * day, async () => {
      expect(await events.body.text()).toContain("event: ended");
      while ((await copiesOnDisk()).includes(made.share.id)) await new Promise(setImmediate);
    });
  });

  it.each(["view", "original"] as const)(
    "gives up looking into its files after its time, for %s, and says what to do",
    async (access) => {
      const { content, database } = server.deps;
      const scratch = path.join(server.folder, `looking-${access}`);
      const renditions = createRenditions({ content, scratch });
      const exhibits = [await readSealed(database, exhibit.id)];
      const look = (mostMs: number) =>
        kindsOfFiles(renditions, exhibits, access, { signal: soon(), mostMs });
      try {
        await expect(look(1)).rejects.toMatchObject({
          code: "policy.too-large",
          message: "Looking into the files of these exhibits took longer than 0.001 s.",
          hint: "Share fewer exhibits at a time.",
        });
        expect([...(await look(25_000)).values()]).toEqual([["video", "image", "pdf", "audio"]]);
      } finally {
        await renditions.close();
      }
    },
  );

  it("is swept when its time is over and no page of it is open", async () => {
    const { made } = await opened();
    const scratch = path.join(server.folder, "swept");
    const { deps } = server;
    const renditions = createRenditions({ content: deps.content, scratch });
    const attempts = new CodeAttempts(clock);
    const late = new LateLog(deps.database, clock, (error) => {
      throw error;
    });
    const desk = {
      deps,
      renditions,
      live: new LiveShares(clock),
      attempts,
      late,
      outbox: undefined,
    };
    const watch = watchShares(desk, (error) => {
      throw error;
    });
    watch.stop();
    try {
      const [, file] = exhibit.files;
      if (file === undefined) throw new Error("There is no second file.");
      const mark = { shareId: made.share.id, recipient: "J", organisation: "O", reference: "A/1" };
      await renditions.image(file, { ...mark, at: clock.now() }, soon());
      await watch.sweep();
      expect(await readdir(scratch)).toContain(made.share.id);
      await clock.later(2 * day, () => watch.sweep());
      expect(await readdir(scratch)).not.toContain(made.share.id);
    } finally {
      await renditions.close();
    }
  });
});
