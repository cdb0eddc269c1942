import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { describeStore } from "../contracts/store.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { boxFolder, unhurried } from "../support/box-store.ts";

const partBytes = 1000;

describe.each([
  ["http", false],
  ["https", true],
])("over %s", (_, tls) => {
  let box: Box;
  beforeAll(async () => {
    // Sessions for files of a byte, so that the suite's small ones go in parts.
    box = await startBox({ tls, settings: { minimumSessionBytes: 1, partBytes, pageEntries: 3 } });
  });
  afterAll(() => box.close());

  describeStore(
    "Box",
    () => {
      const folder = boxFolder(box, "Evidence", { limits: { ...unhurried, minUploadBytes: 1 } });
      let ordinal = 0;
      return Promise.resolve({
        open: () => Promise.resolve(folder.open()),
        newKey: (exhibit = "a") => {
          ordinal += 1;
          return `${exhibit === "a" ? "A-B" : "A"}/ABC_1/ABC_1-${String(ordinal).padStart(4, "0")}.bin`;
        },
        close: () => folder.close(),
      });
    },
    partBytes,
  );

  it("was asked for nothing that Box's document does not have", () => {
    expect([box.ourViolations, box.unsound]).toEqual([[], []]);
  });
});
