import { describe, expect, it } from "@jest/globals";
import { formatAddress, parseAddress } from "../../src/evidence/address.ts";
import { boxAddress, boxAddressText } from "../../src/evidence/box-address.ts";
import { caseOfSegment, caseSchema, caseSegment } from "../../src/evidence/case.ts";
import { hasCode } from "../../src/evidence/errors.ts";
import { newInvitationCode, parseInvitationCode } from "../../src/evidence/invitation-code.ts";
import { contentKey, keySchema, parseKey } from "../../src/evidence/key.ts";
import { randomId } from "../../src/evidence/random-id.ts";
import {
  referenceOfSegment,
  referenceSchema,
  referenceSegment,
} from "../../src/evidence/reference.ts";

describe("a case", () => {
  it.each([
    ["01ab1234526", "01AB1234526", "01AB1234526"],
    ["CAD 1234/21NOV26", "CAD 1234/21NOV26", "CAD~201234_21NOV26"],
    ["  6512345/26 ", "6512345/26", "6512345_26"],
    ["A_B", "A_B", "A~5FB"],
    ["OP (NIGHT) & DAY #3:1", "OP (NIGHT) & DAY #3:1", "OP~20~28NIGHT~29~20~26~20DAY~20~233~3A1"],
  ])("%j is kept as %j and stands in a path as %j", (text, kept, segment) => {
    const parsed = caseSchema.parse(text);
    expect(parsed).toBe(kept);
    expect(caseSegment(parsed)).toBe(segment);
    expect(caseOfSegment(segment)).toBe(kept);
  });

  it.each([
    "",
    " ",
    "../etc",
    "A..B",
    ".HIDDEN",
    "A/../B",
    "A\u0000B",
    "É1",
    "A~B",
    "A.",
    "A".repeat(65),
  ])("%j is refused", (text) => {
    expect(caseSchema.safeParse(text).success).toBe(false);
  });

  it.each(["A/", "A\nB", "A:B", "A (1)"])("%j is harmless as a path", (text) => {
    expect(caseSegment(caseSchema.parse(text))).toMatch(/^[A-Z0-9][A-Z0-9~._-]*$/);
  });

  it("gives different segments to different cases", () => {
    const cases = ["A/B", "A_B", "A B", "A~B".replace("~", "-"), "A.B", "A:B"];
    expect(new Set(cases.map((one) => caseSegment(caseSchema.parse(one)))).size).toBe(cases.length);
  });
});

describe("a reference", () => {
  it.each([
    ["abc/1", "ABC/1", "ABC_1"],
    ["ABC/12/A", "ABC/12/A", "ABC_12_A"],
    [" jqs/7/b/2 ", "JQS/7/B/2", "JQS_7_B_2"],
  ])("%j is %j and %j in a path", (text, kept, segment) => {
    expect(referenceSchema.parse(text)).toBe(kept);
    expect(referenceSegment(kept)).toBe(segment);
    expect(referenceOfSegment(segment)).toBe(kept);
  });

  it.each([
    "",
    "ABC",
    "1/ABC",
    "ABC/",
    "ABC//1",
    "ABC/1/",
    "A_B/1",
    "../1",
    "ABC/1234567",
    "ABC/1 2",
    "ABCDEFGHI/1",
  ])("%j is refused", (text) => {
    expect(referenceSchema.safeParse(text).success).toBe(false);
  });
});

describe("a key", () => {
  it.each([
    ["Bus 42 +447700900123.MP4", ".mp4"],
    ["clip.3gp", ".3gp"],
    ["a.tar.gz", ".gz"],
    ["evil.name/../../x.sh", ".sh"],
    ["no-extension", ""],
    [".profile", ""],
    ["call.0207946000", ""],
    ["call.2079", ""],
    ["x.thisextensionistoolong", ""],
    ["x.mp4\n", ""],
  ])("takes nothing but the extension from %j", (name, extension) => {
    const key = contentKey("CAD 1", "ABC/1", 3, name);
    expect(key).toBe(`CAD~201/ABC_1/ABC_1-0003${extension}`);
    expect(parseKey(key)).toMatchObject({ case: "CAD 1", reference: "ABC/1" });
  });

  it.each([
    "CASE/ABC_1/record.json",
    "CASE/ABC_1/receipt.json",
    "CASE/ABC_1/custody.jsonl",
    "CASE/ABC_1/reservation.json",
    "CASE/ABC_1/ABC_1-0001.mp4",
    "CASE/ABC_1_A/ABC_1_A-10000",
  ])("%s is one of ours", (key) => {
    expect(parseKey(key)).toBeDefined();
  });

  it.each([
    "",
    "/etc/passwd",
    "../CASE/ABC_1/record.json",
    "CASE/../record.json",
    "CASE/ABC_1/../record.json",
    "CASE/ABC_1/record.json/x",
    "CASE/ABC_1/x.mp4",
    "CASE/abc_1/ABC_1-0001.mp4",
    "CASE\\ABC_1\\record.json",
    "CASE/ABC_1/ABC_1-0001.mp4\0",
    "CASE%2F/ABC_1/record.json",
    "A..B/ABC_1/record.json",
  ])("%j is not", (key) => {
    expect(parseKey(key)).toBeUndefined();
    if (!key.startsWith("CASE/abc")) expect(keySchema.safeParse(key).success).toBe(false);
  });
});

describe("an exhibit's address", () => {
  it.each([
    ["01AB1234526:ABC/1", { kind: "reference", case: "01AB1234526", reference: "ABC/1" }],
    ["op:x:abc/1", { kind: "reference", case: "OP:X", reference: "ABC/1" }],
    ["abc/1", { kind: "reference", case: undefined, reference: "ABC/1" }],
  ])("%j names %j", (text, wanted) => {
    expect(parseAddress(text)).toEqual(wanted);
  });

  it("takes an id", () => {
    const id = randomId("x");
    expect(parseAddress(id)).toEqual({ kind: "id", id });
    expect(formatAddress({ case: "C1", reference: "ABC/1" })).toBe("C1:ABC/1");
  });

  it.each(["", "ABC", ":ABC/1", "CASE:", "CASE:ABC", "../x:ABC/1"])("%j is refused", (text) => {
    expect(() => parseAddress(text)).toThrow(/does not name an exhibit/);
  });
});

describe("an invitation code", () => {
  const thumbprint = "A".repeat(43);

  it("carries a secret and the server's thumbprint, and survives being wrapped by a mail program", () => {
    const code = newInvitationCode(thumbprint);
    const wrapped = ` ${code.slice(0, 20)}\r\n${code.slice(20)}\n`;
    expect(parseInvitationCode(wrapped)).toEqual({
      secret: code.split(".")[1],
      serverThumbprint: thumbprint,
    });
    expect(newInvitationCode(thumbprint)).not.toBe(code);
  });

  it("notices any single wrong character and any cut", () => {
    const code = newInvitationCode(thumbprint);
    for (let at = 0; at < code.length; at += 1) {
      const other = code.charAt(at) === "b" ? "c" : "b";
      const wrong = code.slice(0, at) + other + code.slice(at + 1);
      expect(mistyped(wrong)).toBe(true);
      expect(mistyped(code.slice(0, at))).toBe(true);
    }
  });

  function mistyped(code: string): boolean {
    try {
      parseInvitationCode(code);
      return false;
    } catch (error) {
      return hasCode(error, "auth.invitation-mistyped");
    }
  }
});

describe("the address of a folder in Box", () => {
  it.each([
    ["box:123456789", "box:123456789"],
    ["BOX:0", "box:0"],
    ["box:5?zone-parts=1&api=https://api.box.com", "box:5"],
    ["box:5?zone-parts=4&as-user=77", "box:5?as-user=77&zone-parts=4"],
    [
      "box:5?upload=https://upload.box-gov.example/&authorize=https://force.account.box.com",
      "box:5?upload=https://upload.box-gov.example&authorize=https://force.account.box.com",
    ],
    ["box:5?api=http://127.0.0.1:8080", "box:5?api=http://127.0.0.1:8080"],
  ])("%s is kept as %s", (text, kept) => {
    expect(boxAddressText(boxAddress(text))).toBe(kept);
    expect(boxAddressText(boxAddress(kept))).toBe(kept);
  });

  it.each([
    ["box:", "usage.invalid"],
    ["box:abc", "usage.invalid"],
    ["box://123", "usage.invalid"],
    ["box:-1", "usage.invalid"],
    ["box:1#2", "usage.invalid"],
    ["box:1?zone-parts=9", "usage.invalid"],
    ["box:1?as-user=me", "usage.invalid"],
    ["box:1?secret=x", "usage.invalid"],
    ["box:1?api=https://a.example&api=https://b.example", "usage.invalid"],
    ["box:1?api=https://a.example/path", "usage.invalid"],
    ["box:1?api=https://user:word@a.example", "usage.invalid"],
    ["box:1?upload=http://upload.box.com", "policy.insecure-address"],
  ] as const)("%s is refused", (text, code) => {
    expect(() => boxAddress(text)).toThrow(expect.objectContaining({ code }));
  });
});
