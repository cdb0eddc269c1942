import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import type { NewShare } from "../../src/evidence/ports/sharing.ts";
import { sharingOf } from "../../src/stores/server/sharing.ts";
import { chromiumPath } from "../support/chromium.ts";
import { sealedExhibit } from "../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const run = promisify(execFile);
const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
const clipSeconds = 12;

describe("the share page in a browser", () => {
  let folder: string;
  let server: TestServer;
  let officer: Person;
  let exhibit: { id: string; reference: string };
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
    server = await startServer({ settings: { organisation: "Avonshire Police" } });
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

  async function share(): Promise<NewShare> {
    return sharingOf(officer.session).create(
      {
        exhibits: [exhibit.id],
        recipient: { name: "Jane Smith", email: "jane.smith@cps.example" },
        access: "view",
        expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
        purpose: "Charging decision",
      },
      soon(),
    );
  }

  interface Opened {
    readonly context: BrowserContext;
    readonly page: Page;
    /** What the browser itself complained of. */
    readonly complaints: string[];
    /** Every answer, as status and path. */
    readonly answers: { at: number; status: number; path: string }[];
  }

  /** Opens a link and gives its code, as its recipient would. */
  async function open(made: NewShare, viewport = desktop): Promise<Opened> {
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();
    const complaints: string[] = [];
    const answers: Opened["answers"] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("response", (response) => {
      answers.push({
        at: Date.now(),
        status: response.status(),
        path: new URL(response.url()).pathname,
      });
    });
    await page.goto(made.link);
    expect(await page.locator("main").innerText()).toMatch(
      /^Enter your access code\s+Access code\s+Eight letters.*\s+Open$/,
    );
    expect(answers.map(({ path: at }) => at).filter((at) => !at.startsWith("/s/assets/"))).toEqual([
      new URL(made.link).pathname,
    ]);
    await page.getByRole("textbox", { name: "Access code" }).fill(made.code);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator("#viewing").waitFor();
    return { context, page, complaints, answers };
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

  /** The frame that is playing, whole or the middle half of its area, as a PNG, and when in the video it is. */
  async function frame(page: Page, share: "whole" | "centre"): Promise<Buffer> {
    const side = share === "whole" ? 1 : Math.SQRT1_2;
    const url = await page.evaluate(`(() => {
      const video = document.querySelector("video");
      const canvas = document.createElement("canvas");
      const [width, height] = [video.videoWidth * ${side}, video.videoHeight * ${side}];
      canvas.width = width;
      canvas.height = height;
      const [x, y] = [(video.videoWidth - width) / 2, (video.videoHeight - height) / 2];
      canvas.getContext("2d").drawImage(video, x, y, width, height, 0, 0, width, height);
      return canvas.toDataURL("image/png");
    })()`);
    return Buffer.from(String(url).replace(/^data:image\/png;base64,/, ""), "base64");
  }

  /** What tesseract reads in a picture. */
  async function read(name: string, picture: Buffer): Promise<string> {
    const file = path.join(folder, `${name}.png`);
    await writeFile(file, picture);
    const { stdout } = await run("tesseract", [file, "-", "--psm", "11"]);
    return stdout.replace(/\s+/g, "");
  }

  it("plays the marked video, every part of which tells the share, and goes blank when it is revoked", async () => {
    const made = await share();
    const { context, page, complaints, answers } = await open(made);
    expect(await page.locator("h1").innerText()).toBe("Number 76 bus, upper deck");
    await play(page);

    const shots: [string, Buffer][] = [];
    for (let shot = 1; shot <= 6; shot += 1) {
      await played(page, shot * 0.9);
      shots.push([`whole-${shot}`, await frame(page, "whole")]);
      shots.push([`centre-${shot}`, await frame(page, "centre")]);
    }
    const before = Date.now();
    const revocation = await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    await page.getByRole("heading", { name: "This link has ended" }).waitFor({ timeout: 6000 });
    expect(Date.now() - before).toBeLessThan(6000);
    expect(revocation).toMatchObject({ sessionsCut: 1, streamsCut: 1 });
    expect(await page.locator("video, audio, img").count()).toBe(0);
    const served = answers.filter(
      ({ at, status, path: of }) => at > before + 500 && status === 200 && of.includes("/segment/"),
    );
    expect(served).toEqual([]);
    expect(complaints.filter((text) => !text.includes("410"))).toEqual([]);
    await context.close();

    const texts = await Promise.all(shots.map(([name, picture]) => read(name, picture)));
    const found = texts.filter((text) => text.includes(made.share.id));
    expect(found.length / texts.length).toBeGreaterThanOrEqual(0.9);
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
