import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it, jest } from "@jest/globals";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { sharingOf } from "../../src/stores/server/sharing.ts";
import { coded } from "../support/coded-share.ts";
import { chromiumPath } from "../support/chromium.ts";
import { sealedExhibit } from "../support/sealed-exhibit.ts";
import { soon, startServer } from "../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const images = path.join(import.meta.dirname, "..", "..", "docs", "images");
const asked = process.env["EXHIBIT_WRITE_IMAGES"] === "1";

/** A drawn street, as a camera on a bus would see it: the camera turns, and the time runs. */
async function streetClip(folder: string): Promise<string> {
  const still = path.join(folder, "street.png");
  await sharp(path.join(images, "street-scene.svg")).png().toFile(still);
  const clip = path.join(folder, "street.mp4");
  const clock =
    "drawtext=fontfile=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf:fontcolor=white:fontsize=24:x=24:y=24:text='CAM 3 UPPER DECK  %{pts\\:gmtime\\:1794696060\\:%d-%m-%Y %H\\\\\\:%M\\\\\\:%S}'";
  await promisify(execFile)("ffmpeg", [
    ...["-nostdin", "-loglevel", "error", "-loop", "1", "-framerate", "25", "-i", still],
    ...["-t", "8", "-vf", `crop=1280:720:x='25*t':y=0,${clock},noise=alls=7:allf=t`],
    ...["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", clip],
  ]);
  return clip;
}

/** Draws the picture of the README, when `EXHIBIT_WRITE_IMAGES=1` asks for it. */
(asked ? it : it.skip)("draws the picture of the share page", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-picture-"));
  const server = await startServer({ settings: { organisation: "Avonshire Police" } });
  const officer = await server.enrol("officer", { organisation: "Avonshire Police, Major Crime" });
  const exhibit = await sealedExhibit(
    server,
    officer,
    [
      {
        path: "cam3.mp4",
        mediaType: "video/mp4",
        bytes: await readFile(await streetClip(folder)),
      },
    ],
    {
      title: "Number 76 bus, upper deck camera, Temple Gate",
      recorded: {
        from: "2026-11-14T22:41:00Z",
        to: "2026-11-14T22:58:30Z",
        timeZone: "Europe/London",
      },
      clockOffset: { seconds: 42, measuredBy: "speaking clock" },
    },
  );
  const made = await coded(
    sharingOf(officer.session).create(
      {
        exhibits: [exhibit],
        recipient: { name: "Jane Smith, CPS South West", email: "jane.smith@cps.example" },
        access: "view",
        expiresAt: new Date(Date.now() + 7 * 86_400_000).toISOString(),
        purpose: "Charging decision",
      },
      soon(),
    ),
  );
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
  });
  for (const [name, viewport, deviceScaleFactor] of [
    ["share-page", { width: 1280, height: 920 }, 1.5],
    ["share-page-phone", { width: 390, height: 844 }, 2],
  ] as const) {
    const page = await browser.newPage({ viewport, deviceScaleFactor });
    await page.goto(made.link);
    await page.getByRole("textbox").fill(made.code);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator('video[src^="blob:"]').waitFor();
    await page.evaluate(`new Promise((resolve) => {
      const video = document.querySelector("video");
      video.addEventListener("timeupdate", () => {
        if (video.currentTime < 2.5) return;
        video.pause();
        resolve();
      });
      video.play();
    })`);
    await page.evaluate("scrollTo(0, 0)");
    const bytes = await page.screenshot();
    await sharp(bytes)
      .png({ palette: true, quality: 90 })
      .toFile(path.join(images, `${name}.png`));
    expect(bytes.length).toBeGreaterThan(10_000);
  }
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
