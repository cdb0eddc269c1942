import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { chromium, type Browser, type Page } from "playwright-core";
import { By, until } from "selenium-webdriver";
import type { ShareRequest } from "../../src/evidence/ports/sharing.ts";
import { longestSessionMs } from "../../src/server/pages/visit.ts";
import { sharingOf } from "../../src/stores/server/sharing.ts";
import { chromiumPath } from "../support/chromium.ts";
import { coded, type CodedShare } from "../support/coded-share.ts";
import { clip, jpegPhoto, pdfStatement } from "../support/media.ts";
import { sealedExhibit } from "../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../support/server.ts";
import { startWebKit } from "../support/webkit.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(180_000);

const { resolve } = createRequire(import.meta.url);
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];
/** What a finger, or the key Tab, comes to. */
const controls = "a[href], button, input:not([type=hidden]), textarea, summary, video, audio";

describe("the share page for everyone", () => {
  let server: TestServer;
  let officer: Person;
  let exhibit: ShareRequest["exhibits"][number];
  let second: ShareRequest["exhibits"][number];
  let browser: Browser;
  let axe: string;

  beforeAll(async () => {
    axe = await readFile(resolve("axe-core/axe.min.js"), "utf8");
    server = await startServer({
      settings: { organisation: "Avonshire Police" },
      // Nothing is sent in these tests; but the page offers it.
      deps: { mail: { send: () => Promise.reject(new Error("No mail was to be sent.")) } },
    });
    officer = await server.enrol("officer", { organisation: "Avonshire Police" });
    const photo = { path: "b.jpg", mediaType: "image/jpeg", bytes: await jpegPhoto() };
    exhibit = await sealedExhibit(
      server,
      officer,
      [
        { path: "a.mp4", mediaType: "video/mp4", bytes: await readFile(await clip("plain")) },
        photo,
        { path: "c.pdf", mediaType: "application/pdf", bytes: await pdfStatement() },
        { path: "d.mp3", mediaType: "audio/mpeg", bytes: await readFile(await clip("callMp3")) },
      ],
      { title: "Number 76 bus, upper deck" },
    );
    second = await sealedExhibit(server, officer, [photo]);
    browser = await chromium.launch({
      executablePath: chromiumPath(),
      args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
    });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  function share(changes: Partial<ShareRequest> = {}): Promise<CodedShare> {
    const request: ShareRequest = {
      exhibits: [exhibit, second],
      recipient: { name: "Jane Smith", email: "jane.smith@cps.example" },
      access: "original",
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
      purpose: "Charging decision",
      mail: false,
      ...changes,
    };
    return coded(sharingOf(officer.session).create(request, soon()));
  }

  /** As after eight hours. */
  async function endSessions({ share: { id } }: CodedShare): Promise<void> {
    const now = Date.now();
    await server.deps.database
      .updateTable("share_sessions")
      .set({
        started_at: new Date(now - longestSessionMs).toISOString(),
        ends_at: new Date(now).toISOString(),
      })
      .where("share_id", "=", id)
      .execute();
  }

  /** What axe finds wrong with the page as it is, by rule and place. */
  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    return page.evaluate<string[]>(`axe
      .run(document, { runOnly: ${JSON.stringify(rules)} })
      .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => id + " " + target.join(" ") + ": " + failureSummary)))`);
  }

  it("has nothing that axe finds against WCAG 2.2 A and AA, in any state", async () => {
    const made = await share();
    const page = await browser.newPage();
    const found: Record<string, string[]> = {};
    const look = async (state: string): Promise<void> => {
      found[state] = await violations(page);
    };
    await page.goto(made.link);
    await look("code");
    await page.getByRole("button", { name: "Send me the code" }).click();
    await page.getByText("Look into your mail").waitFor();
    await look("code asked for");
    await page.getByRole("textbox", { name: "Access code" }).fill("WRONG");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("alert").waitFor();
    await look("wrong code");
    await page.getByRole("textbox", { name: "Access code" }).fill(made.code);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator('video[src^="blob:"]').waitFor();
    await page.locator("summary").first().click();
    await page.getByRole("textbox", { name: "Your note" }).first().fill("Look at <b>this</b>");
    await page.getByRole("button", { name: "Leave the note" }).first().click();
    await page.getByText("Look at <b>this</b>").waitFor();
    await look("viewing, with a note");
    await page.setViewportSize({ width: 390, height: 844 });
    await look("viewing, narrow");
    await sharingOf(officer.session).revoke(made.share.id, second.id, soon());
    await page.getByText(`Exhibit ${second.reference} was withdrawn.`).waitFor();
    await look("an exhibit withdrawn");
    await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    await page.getByRole("heading", { name: "This link has ended" }).waitFor();
    await look("revoked while open");
    await page.reload();
    await look("ended");
    const other = await share();
    await page.goto(other.link);
    await page.getByRole("textbox", { name: "Access code" }).fill(other.code);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("heading", { name: "2 exhibits" }).waitFor();
    await endSessions(other);
    await page.getByText("Your viewing time is over.").waitFor();
    await look("session over");
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((state) => [state, []])));
    expect(Object.keys(found)).toHaveLength(9);
    await page.close();
  });

  it.each([
    ["a tablet", { width: 768, height: 1024 }],
    ["a phone", { width: 390, height: 844 }],
  ])(
    "is used by fingers on %s: everything to be touched is 44 pixels wide and high",
    async (_, viewport) => {
      const made = await share();
      const context = await browser.newContext({ viewport, hasTouch: true, isMobile: true });
      const page = await context.newPage();
      const small = (): Promise<string[]> =>
        page.evaluate(`Array.from(document.querySelectorAll(${JSON.stringify(controls)}))
        .filter((one) => !one.matches(".skip") && one.checkVisibility())
        .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
        .filter(([, { width, height }]) => width < 44 || height < 44)
        .map(([text, { width, height }]) => width + " x " + height + ": " + text)`);
      await page.goto(made.link);
      expect(await small()).toEqual([]);
      await page.getByRole("textbox", { name: "Access code" }).tap();
      await page.keyboard.type(made.code.toLowerCase());
      await page.getByRole("button", { name: "Open" }).tap();
      await page.locator("#viewing").waitFor();
      for (const notes of await page.locator("summary").all()) await notes.tap();
      expect(await small()).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(
        viewport.width,
      );
      await context.close();
    },
  );

  it("is used by keys alone: what has the focus is seen, nothing keeps it, and the player and notes are reached", async () => {
    const made = await share({ exhibits: [exhibit], access: "view" });
    const page = await browser.newPage();
    await page.goto(made.link);
    // The field gets the focus by itself.
    await page.locator("#code:focus").waitFor();
    await page.keyboard.type(made.code);
    await page.keyboard.press("Enter");
    await page.locator("#viewing").waitFor();
    const focus = (): Promise<[string, boolean]> =>
      page.evaluate(`(() => {
        const one = document.activeElement;
        const seen = one.closest(".screen") || one;
        const style = getComputedStyle(seen);
        const name = one === document.body ? "body" : one.tagName.toLowerCase() + (one.name ? " " + one.name : "") + (one.className === "skip" ? " skip" : "");
        return [name, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
      })()`);
    await page.keyboard.press("Tab");
    expect(await focus()).toEqual(["a skip", true]);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await focus()).toEqual(["video", true]);
    const passed: string[] = [];
    for (let n = 0; n < 120 && passed.at(-1) !== "body"; n += 1) {
      const [name, isSeen] = await focus();
      if (passed.at(-1) !== name) passed.push(name);
      if (name !== "body") expect([name, isSeen]).toEqual([name, true]);
      if (name === "summary" && passed.filter((one) => one === "summary").length === 1) {
        await page.keyboard.press("Enter");
      }
      if (name === "textarea text") await page.keyboard.type("By keys");
      if (name === "button" && passed.at(-2) === "input at") {
        await page.keyboard.press("Enter");
        await page.getByText("The note was left.").waitFor();
        await page.keyboard.press("Tab");
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Tab");
    }
    expect(passed.join(", ")).toMatch(
      /^video, summary, textarea text, input at, button, a, summary, a, summary, audio, summary, body$/,
    );
    expect(await page.locator(".left").first().innerText()).toContain("By keys");
    await page.close();
  });

  it("plays in WebKit, takes a note at the place, and goes blank within 6 seconds when its link is renewed", async () => {
    const made = await share({ exhibits: [exhibit], access: "view" });
    const webkit = await startWebKit();
    const { driver } = webkit;
    try {
      await driver.manage().setTimeouts({ script: 60_000 });
      await driver.get(made.link);
      await driver.findElement(By.id("code")).sendKeys(made.code);
      await driver.findElement(By.css(".code button")).click();
      await driver.wait(until.elementLocated(By.css("#viewing video")), 20_000);
      await driver.wait(until.elementLocated(By.css('video[src^="blob:"]')), 20_000);
      const at = await driver.executeAsyncScript<number>(`
        const done = arguments[0];
        const video = document.querySelector("video");
        video.muted = true;
        video.addEventListener("timeupdate", () => {
          if (video.currentTime > 1 && !video.paused) { video.pause(); done(video.currentTime); }
        });
        video.play();
      `);
      expect(at).toBeGreaterThan(1);
      await driver.findElement(By.css("summary")).click();
      await driver.findElement(By.css("textarea")).sendKeys("There, on the left");
      await driver.findElement(By.css("form[data-notes] button")).click();
      await driver.wait(until.elementLocated(By.css(".left li")), 10_000);
      expect(await driver.findElement(By.css(".left li")).getText()).toMatch(
        /^at 0:00:0[1-4], left just now\s*There, on the left$/,
      );

      const before = Date.now();
      await sharingOf(officer.session).renew(made.share.id, false, soon());
      await driver.wait(until.titleIs("This link has ended"), 6000);
      expect(Date.now() - before).toBeLessThan(6000);
      expect(await driver.findElements(By.css("video, audio, img, .left"))).toEqual([]);
    } finally {
      await webkit.stop();
    }
  });
});
