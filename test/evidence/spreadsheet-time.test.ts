import { describe, expect, it } from "@jest/globals";
import { spreadsheetInstant } from "../../src/evidence/spreadsheet-time.ts";

const inLondon = (text: string): string =>
  spreadsheetInstant(text, "Europe/London", "recorded-from");

describe("a time as a spreadsheet writes it", () => {
  it.each([
    ["21/11/2026 14:05", "2026-11-21T14:05:00Z"],
    ["1/7/2026 9:05:07", "2026-07-01T09:05:07+01:00"],
    ["01.07.2026 09:05", "2026-07-01T09:05:00+01:00"],
    ["01-07-2026, 09:05", "2026-07-01T09:05:00+01:00"],
    ["21/11/2026 12:30 AM", "2026-11-21T00:30:00Z"],
    ["21/11/2026 12:30 p.m.", "2026-11-21T12:30:00Z"],
    ["29/02/2028 23:59:59.5", "2028-02-29T23:59:59.500Z"],
    ["2026-07-01 10:00", "2026-07-01T10:00:00+01:00"],
    ["2026-07-01T10:00:00+02:00", "2026-07-01T10:00:00+02:00"],
    ["45231.5417", "2023-11-01T13:00:00Z"],
    ["45231,541701", "2023-11-01T13:00:03Z"],
    ["45231.0", "2023-11-01T00:00:00Z"],
    ["46204.375", "2026-07-01T09:00:00+01:00"],
  ])("reads %s", (text, instant) => {
    expect(Date.parse(inLondon(text))).toBe(Date.parse(instant));
  });

  it.each([
    ["30/02/2026 10:00", "day 30, month 2, year 2026, and there is no such day"],
    ["04/25/2026 10:00", "day 4, month 25, year 2026"],
    ["21/11/26 10:00", "day 21, month 11, year 26, and two digits"],
    ["21/11/2026", "a day without a time"],
    ["2026-11-21", "a day without a time"],
    ["45231", "a day without a time"],
    ["21/11/2026 24:00", "no clock shows"],
    ["21/11/2026 13:00 PM", "no clock shows"],
    ["25/10/2026 01:30", "twice"],
    ["29/03/2026 01:30", "never"],
    ["46110.0625", "never"],
    ["12345.5", "far from today"],
    ["yesterday", "is not a time"],
  ])("refuses %s", (text, words) => {
    expect(() => inLondon(text)).toThrow(words);
  });
});
