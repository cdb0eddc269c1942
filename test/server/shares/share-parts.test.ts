import { describe, expect, it, jest } from "@jest/globals";
import { attachment } from "../../../src/server/pages/attachment.ts";
import { rangeOf } from "../../../src/server/pages/byte-range.ts";
import { foreign, html } from "../../../src/server/pages/html.ts";
import { sizeInWords, timeInWords } from "../../../src/server/pages/plain-words.ts";
import { limitGroup } from "../../../src/server/shares/client-address.ts";
import { CodeAttempts } from "../../../src/server/shares/code-attempts.ts";
import {
  addSegment,
  parseRanges,
  placesInWords,
} from "../../../src/server/shares/segment-ranges.ts";
import { newCode, newShareId } from "../../../src/evidence/share-secrets.ts";
import { codeFits, digestCode, newToken } from "../../../src/server/shares/share-secrets.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

describe("what is secret about a share", () => {
  it("has ids and codes without characters that look alike, and tokens of 192 bits", () => {
    const some = Array.from({ length: 200 }, () => ({
      id: newShareId(),
      code: newCode(),
      token: newToken(),
    }));
    for (const { id, code, token } of some) {
      expect(id).toMatch(/^S[2-46-8AC-HJ-NP-RT-Y]{9}$/);
      expect(code).toMatch(/^[2-9AC-HJ-NP-RT-Y]{4}-[2-9AC-HJ-NP-RT-Y]{4}$/);
      expect(Buffer.from(token, "base64url")).toHaveLength(24);
    }
    expect(new Set(some.map(({ id }) => id)).size).toBe(200);
  });

  it("takes a code in any way of writing it, and no other", async () => {
    const digest = await digestCode("K7QW-3M9T");
    expect(digest.scrypt).not.toContain("K7QW");
    for (const typed of ["K7QW-3M9T", " k7qw 3m9t ", "K7QW3M9T", "k7qw–3m9t", "Ｋ7QW-3M9T"]) {
      expect(await codeFits(typed, digest)).toBe(true);
    }
    for (const typed of ["", "K7QW-3M9", "K7QW-3M9U", "K7QW-3M9TT"]) {
      expect(await codeFits(typed, digest)).toBe(false);
    }
    expect(await codeFits("K7QW-3M9T", undefined)).toBe(false);
  });
});

describe("limits on codes", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:0db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
  ])("counts %s as %s", (address, group) => {
    expect(limitGroup(address)).toBe(group);
  });

  const minute = 60_000;

  /** Tries until it is told to wait; returns how often it could, and how long to wait. */
  function tryOn(attempts: CodeAttempts, link: string, from: (n: number) => string) {
    for (let count = 0; ; count += 1) {
      const attempt = attempts.begin(link, from(count));
      if ("waitMs" in attempt) return { count, waitMs: attempt.waitMs };
    }
  }

  it("allows one client five on a link, a link twenty from anywhere, a client fifty on all links", () => {
    let now = 0;
    const attempts = new CodeAttempts({ now: () => new Date(now) });
    expect(tryOn(attempts, "link", () => "192.0.2.1")).toEqual({ count: 5, waitMs: 15 * minute });
    now = 14 * minute;
    expect(tryOn(attempts, "link", () => "192.0.2.1")).toEqual({ count: 0, waitMs: minute });
    expect(tryOn(attempts, "link", (n) => `198.51.100.${n}`)).toEqual({
      count: 15,
      waitMs: 46 * minute,
    });
    now = 75 * minute;
    expect(tryOn(attempts, "link", () => "192.0.2.1").count).toBe(5);

    const many = new CodeAttempts({ now: () => new Date(0) });
    const tries = Array.from({ length: 60 }, (_, n) => many.begin(`link ${n}`, "192.0.2.1"));
    expect(tries.filter((one) => "forgive" in one)).toHaveLength(50);
  });

  it("does not count a right code", () => {
    const attempts = new CodeAttempts({ now: () => new Date(0) });
    for (let n = 0; n < 30; n += 1) {
      const attempt = attempts.begin("link", "192.0.2.1");
      expect("forgive" in attempt).toBe(true);
      if ("forgive" in attempt) attempt.forgive();
    }
  });
});

describe("what was watched", () => {
  it("keeps segments as ranges, in any order, each once", () => {
    const numbers = [3, 1, 2, 9, 2, 0, 11, 10, 500];
    const ranges = numbers.reduce(addSegment, "");
    expect(ranges).toBe("0-3,9-11,500");
    expect(parseRanges(ranges)).toEqual([
      [0, 3],
      [9, 11],
      [500, 500],
    ]);
    expect(placesInWords("0-3,1800")).toBe("about 0:00:00 to 0:00:08, 1:00:00 to 1:00:02");
  });
});

describe("HTML", () => {
  it("escapes what comes from outside, in text and in attributes, and takes out what turns the direction", () => {
    const hostile = `<script>"&'\u202egnp.exe\u0007`;
    expect(html`<p title="${hostile}">${hostile}</p>`.text).toBe(
      `<p title="&lt;script&gt;&quot;&amp;&#39; gnp.exe ">&lt;script&gt;&quot;&amp;&#39; gnp.exe </p>`,
    );
    expect(html`${[foreign("a"), foreign("<")]}${undefined}${3}`.text).toBe(
      "<bdi>a</bdi><bdi>&lt;</bdi>3",
    );
  });

  it.each([
    ["2026-07-01T12:00:00Z", undefined, "1 July 2026 at 13:00 BST"],
    ["2026-11-22T10:40:00Z", undefined, "22 November 2026 at 10:40 GMT"],
    ["2026-07-01T12:00:00Z", "UTC", "1 July 2026 at 12:00 UTC"],
    ["2026-07-01T12:00:00Z", "Nowhere/<b>", "1 July 2026 at 13:00 BST"],
  ])("says %s in zone %s as %s", (at, zone, words) => {
    expect(timeInWords(at, zone)).toBe(words);
  });

  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1000, "1.0 kB"],
    [42_133_700, "42.1 MB"],
    [38e9, "38.0 GB"],
  ])("says %i bytes as %s", (bytes, words) => {
    expect(sizeInWords(bytes)).toBe(words);
  });
});

describe("a download's name", () => {
  it.each([
    ["a.mp4", `attachment; filename="a.mp4"; filename*=UTF-8''a.mp4`],
    ["cam 1/b (2).avi", `attachment; filename="b (2).avi"; filename*=UTF-8''b%20%282%29.avi`],
    [
      '"; x="\r\nSet-Cookie: a=b',
      `attachment; filename="_; x=_Set-Cookie_ a=b"; filename*=UTF-8''_%3B%20x%3D_Set-Cookie_%20a%3Db`,
    ],
    ["..\\..\\evil.exe", `attachment; filename="evil.exe"; filename*=UTF-8''evil.exe`],
    ["photo\u202egpj.exe", `attachment; filename="photo_gpj.exe"; filename*=UTF-8''photo_gpj.exe`],
    ["é😀%41.txt", `attachment; filename="__41.txt"; filename*=UTF-8''%C3%A9%F0%9F%98%80%2541.txt`],
    ["\ud800.txt", `attachment; filename="_.txt"; filename*=UTF-8''_.txt`],
    ["../..", `attachment; filename="ABC_1-1"; filename*=UTF-8''ABC_1-1`],
  ])("%j becomes %s", (path, field) => {
    expect(attachment(path, "ABC_1-1")).toBe(field);
  });
});

describe("a range", () => {
  it.each([
    [undefined, "whole"],
    ["bytes=0-0", { start: 0, end: 1 }],
    ["bytes=2-", { start: 2, end: 10 }],
    ["bytes=-3", { start: 7, end: 10 }],
    ["bytes=-30", { start: 0, end: 10 }],
    ["bytes=5-500", { start: 5, end: 10 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", "whole"],
    ["bytes=0-1,4-5", "whole"],
    ["bytes=-", "whole"],
    ["items=0-1", "whole"],
    ["bytes=99999999999999999999-", "whole"],
  ])("%s of ten bytes is %j", (field, range) => {
    expect(rangeOf(field, 10)).toEqual(range);
  });
});
