import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDirectoryStore } from "../../src/stores/directory/store.ts";
import { describeStore } from "../contracts/store.ts";

describeStore("directory", async () => {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-store-")));
  let ordinal = 0;
  return {
    open: () => openDirectoryStore(root),
    newKey: (exhibit = "a") => {
      ordinal += 1;
      // As text "A-B/" comes before "A/": the order of keys, not of folder names.
      return `${exhibit === "a" ? "A-B" : "A"}/ABC_1/ABC_1-${String(ordinal).padStart(4, "0")}.bin`;
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
});
