import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDirectoryStore } from "../../src/stores/directory/store.ts";
import { flushTogether } from "../../src/platform/flush-together.ts";
import { openGroupedContent } from "../../src/stores/directory/grouped.ts";
import { describeGroupedContent, type GroupedUnderTest } from "../contracts/grouped-content.ts";
import { describeStore } from "../contracts/store.ts";

async function makeStore(): Promise<GroupedUnderTest> {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-store-")));
  let ordinal = 0;
  return {
    open: () => openDirectoryStore(root),
    newKey: (exhibit = "a") => {
      ordinal += 1;
      // As text "A-B/" comes before "A/": the order of keys, not of folder names.
      return `${exhibit === "a" ? "A-B" : "A"}/ABC_1/ABC_1-${String(ordinal).padStart(4, "0")}.bin`;
    },
    openGrouped: (store) => openGroupedContent(root, store, flushTogether()),
    close: () => rm(root, { recursive: true, force: true }),
  };
}

describeStore("directory", makeStore);
describeGroupedContent("directory", makeStore);
