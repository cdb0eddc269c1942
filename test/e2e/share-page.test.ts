import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { sharingOf } from "../../src/stores/server/sharing.ts";
import { coded, type CodedShare } from "../support/coded-share.ts";
import { chromiumPath } from "../support/chromium.ts";
import { MovingClock } from "../support/moving-clock.ts";
import { sealedExhibit } from "../support/sealed-exhibit.ts";
import { middleHalf, reads } from "../support/ocr.ts";
import { soon, startServer, type Person, type TestServer } from "../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const run = promisify(execFile);
const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
const clipSeconds = 12;

describe("the share page in a browser", () => {
  const clock = new MovingClock();
  let folder: string;
  let server: TestServer;
  let officer: Person;
  let exhibit: { id: string; case: string; reference: string };
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "exhibit-page-"));
    const clip = path.join(folder, "clip.mp4");
    await run("ffmpeg", [
      ...["-nostdin", "-loglevel", "error"],
      ...["-f", "lavfi", "-i", "testsrc2=size=960x540:rate=25"],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"],
      ...["-t", String(clipSeconds), "-c:v", "libx264", "-preset", "ultrafast"],
      ...["-pix_fmt", "yuv420p", "-c:a", "aac", clip],
    ]);
    server = await startServer({ clock, settings: { organisation: "Avonshire Police" } });
    officer = await server.enrol("officer", { organisation: "Avonshire Police" });
    exhibit = await sealedExhibit(
      server,
      officer,
      [{ path: "cam1.mp4", mediaType: "video/mp4", bytes: await readFile(clip) }],
      { title: "Number 76 bus, upper deck" },
    );
    browser = await chromium.launch({
      executablePath: chromiumPath(),
      args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
    });
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function share(): Promise<CodedShare> {
    return coded(
      sharingOf(officer.session).create(
        {
          exhibits: [exhibit],
          recipient: { name: "Jane Smith", email: "jane.smith@cps.example" },
          access: "view",
          expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
          purpose: "Charging decision",
        },
        soon(),
      ),
    );
  }

  interface Opened {
    readonly context: BrowserContext;
    readonly page: Page;
    /** What the browser itself complained of. */
    readonly complaints: string[];
    /** The path of everything that was answered. */
    readonly answers: string[];
  }

  /** Opens a link and gives its code, as its recipient would. */
  async function open(made: CodedShare, viewport = desktop): Promise<Opened> {
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();
    const complaints: string[] = [];
    const answers: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("response", (response) => {
      answers.push(new URL(response.url()).pathname);
    });
    await page.goto(made.link);
    expect(await page.locator("main").innerText()).toMatch(
      /^Enter your access code\s+Access code\s+Eight letters.*\s+Open$/,
    );
    expect(answers.filter((at) => !at.startsWith("/s/assets/"))).toEqual([
      new URL(made.link).pathname,
    ]);
    await page.getByRole("textbox", { name: "Access code" }).fill(made.code);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator("#viewing").waitFor();
    return { context, page, complaints, answers };
  }

  /** How often and where segments went out over a share, as its log says. */
  async function segmentsShown(made: CodedShare): Promise<(string | undefined)[]> {
    const { events: log } = await sharingOf(officer.session).log(made.share.id, soon());
    return log.filter(({ kind }) => kind === "segment").map(({ detail }) => detail);
  }

  /** Plays the video, and waits until it is really under way. */
  async function play(page: Page): Promise<void> {
    await page.locator('video[src^="blob:"]').waitFor();
    await page.evaluate(`(async () => {
      const video = document.querySelector("video");
      video.muted = true;
      await video.play();
    })()`);
    await played(page, 0.3);
  }

  /** Waits until the video has been played up to `seconds`. */
  async function played(page: Page, seconds: number): Promise<void> {
    await page.evaluate(`new Promise((resolve) => {
      const video = document.querySelector("video");
      const look = () => {
        if (video.currentTime < ${seconds}) return;
        video.removeEventListener("timeupdate", look);
        resolve();
      };
      video.addEventListener("timeupdate", look);
      look();
    })`);
  }

  /**
   * Frames as they are played, as PNG: the first that comes onto the screen at each of `times`, in seconds, or after it.
   * Each is drawn in its own callback, so that none is of another moment, or of no picture, on however busy a machine.
   */
  async function framesAt(page: Page, times: readonly number[]): Promise<Buffer[]> {
    const urls = await page.evaluate<string[]>(`new Promise((resolve) => {
      const video = document.querySelector("video");
      const canvas = document.createElement("canvas");
      const urls = [];
      const times = ${JSON.stringify(times)};
      const look = (_, { mediaTime, width, height }) => {
        if (mediaTime >= times[urls.length]) {
          Object.assign(canvas, { width, height });
          canvas.getContext("2d").drawImage(video, 0, 0);
          urls.push(canvas.toDataURL("image/png"));
        }
        if (urls.length === times.length) resolve(urls);
        else video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
    })`);
    return urls.map((url) => Buffer.from(url.replace(/^data:image\/png;base64,/, ""), "base64"));
  }

  /** Asks for `addresses` over and over for `ms`, with the cookie of `context`; which answers there were, by status. */
  async function keepAsking(
    { request }: BrowserContext,
    addresses: readonly string[],
    ms: number,
  ): Promise<Record<number, Set<string>>> {
    const answers: Record<number, Set<string>> = {};
    const start = Date.now();
    do {
      for (const address of addresses) {
        const answer = await request.get(address, { maxRedirects: 0 });
        (answers[answer.status()] ??= new Set()).add(address);
      }
    } while (Date.now() - start < ms);
    return answers;
  }

  it("plays the marked video, every part of which tells the share, and goes blank when it is revoked", async () => {
    const made = await share();
    const { context, page, complaints, answers } = await open(made);
    expect(await page.locator("h1").innerText()).toBe("Number 76 bus, upper deck");
    await play(page);
    const frames = await framesAt(page, [0.5, 1.3, 2.1, 2.9, 3.7, 4.5]);

    const sharing = sharingOf(officer.session);
    const fetched = answers.filter((at) => /\/(?:segment\/\d|video\.m3u8)$/.test(at));
    expect(fetched.length).toBeGreaterThanOrEqual(3);
    const next = fetched[0]?.replace("video.m3u8", "segment/5") ?? "";
    const asked = [made.link, ...[...fetched, next].map((at) => `${server.url}${at}`)];
    const before = Date.now();
    const revocation = await sharing.revoke(made.share.id, undefined, soon());
    const blank = page
      .getByRole("heading", { name: "This link has ended" })
      .waitFor({ timeout: 6000 })
      .then(() => Date.now() - before);
    const shown = await segmentsShown(made);
    expect(await keepAsking(context, asked, 6000)).toEqual({ 410: new Set(asked) });
    expect(await blank).toBeLessThan(6000);
    expect(await segmentsShown(made)).toEqual(shown);
    expect(revocation).toMatchObject({ sessionsCut: 1, streamsCut: 1 });
    expect(await page.locator("video, audio, img").count()).toBe(0);
    expect(complaints.filter((text) => !text.includes("410"))).toEqual([]);
    await context.close();

    const pictures = await Promise.all(
      frames.map(async (whole) => [whole, await middleHalf(whole)]),
    );
    let read = 0;
    for (const picture of pictures.flat()) if (await reads(picture, made.share.id)) read += 1;
    expect(read / (2 * frames.length)).toBeGreaterThanOrEqual(0.9);
  });

  it("hides and stops what it shows while its line is lost, and goes on when it is back", async () => {
    const { context, page } = await open(await share());
    await play(page);
    const stopped = page.evaluate(`new Promise((resolve) => {
      document.querySelector("video").addEventListener("pause", resolve, { once: true });
    }).then(() => undefined)`);
    await page.route(/\/(?:events|session)$/, (route) => route.abort());
    await server.restart();
    await page.locator("#viewing.unverified").waitFor({ timeout: 6000 });
    await stopped;
    expect(await page.getByRole("status").innerText()).toContain("Checking the connection");
    expect(await page.locator("video").isVisible()).toBe(false);
    const at = Number(await page.evaluate(`document.querySelector("video").currentTime`));
    await page.unrouteAll();
    await page.locator("#viewing:not(.unverified)").waitFor();
    await played(page, at + 0.5);
    expect(await page.locator("video").isVisible()).toBe(true);
    await context.close();
  });

  it("asks for the code again after eight hours, says why, and goes on with it", async () => {
    const made = await share();
    const { context, page } = await open(made);
    await clock.later(8 * 3_600_000, async () => {
      await page.getByText("Your viewing time is over.").waitFor();
      expect(await page.content()).not.toContain(exhibit.reference);
      await page.getByRole("textbox", { name: "Access code" }).fill(made.code);
      await page.getByRole("button", { name: "Open" }).click();
      await page.locator("#viewing").waitFor();
    });
    await context.close();
  });

  it("does not show what was shared when the browser goes back to it after the end", async () => {
    const made = await share();
    const { context, page } = await open(made);
    await page.goto("about:blank");
    await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    await page.goBack();
    await page.getByRole("heading", { name: "This link has ended" }).waitFor();
    expect(await page.content()).not.toContain(exhibit.reference);
    await context.close();
  });

  it.each([
    ["a phone", phone],
    ["a tablet", { width: 820, height: 1180 }],
    ["a very narrow window", { width: 320, height: 600 }],
  ])(
    "needs no sideways scrolling on %s, prints no exhibit, and names every control",
    async (_, size) => {
      const { context, page } = await open(await share(), size);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect(width).toBeLessThanOrEqual(size.width);
      expect(await page.locator("html").getAttribute("lang")).toBe("en-GB");
      expect(await page.getByLabel(`Video, exhibit ${exhibit.reference}`).count()).toBe(1);
      await page.emulateMedia({ media: "print" });
      expect(await page.locator("video").isVisible()).toBe(false);
      expect(await page.getByText("This page cannot be printed").isVisible()).toBe(true);
      await context.close();
    },
  );
});
