import { mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { openDirectoryStore } from "../../src/stores/directory/store.ts";
import { flushTogether } from "../../src/platform/flush-together.ts";
import { GroupThread } from "../../src/stores/directory/group-thread.ts";
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

it("never follows a link in the place of a folder when it writes a group, and writes the others", async () => {
  const made = await makeStore();
  const elsewhere = await mkdtemp(path.join(tmpdir(), "exhibit-elsewhere-"));
  const store = await made.open();
  const grouped = await made.openGrouped(store);
  const bytes = Buffer.from("evidence");
  const fileAt = (key: string) => ({ key, bytes, sha256: sha256Of(bytes) });
  const { signal } = new AbortController();
  await grouped.putAll([fileAt("A/ABC_1/ABC_1-0001.bin")], signal);
  const root = fileURLToPath(store.url);
  await symlink(elsewhere, path.join(root, "A", "ABC_2"));
  await symlink(elsewhere, path.join(root, "B"));
  const answers = await grouped.putAll(
    ["A/ABC_2/ABC_2-0001.bin", "B/ABC_1/ABC_1-0001.bin", "A/ABC_1/ABC_1-0002.bin"].map(fileAt),
    signal,
  );
  expect(answers).toMatchObject([
    { code: "policy.unsupported" },
    { code: "policy.unsupported" },
    { proof: "read-back" },
  ]);
  expect(await readdir(elsewhere)).toEqual([]);
  await rm(elsewhere, { recursive: true });
  await made.close();
});

it.each([
  ["throws", "throw new Error('It broke.')", "It broke."],
  ["exits", "process.exit(0)", "The thread that writes files has ended."],
])("fails an order whose thread %s, and does the next ones by another", async (_, dies, told) => {
  const script = `import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { ${dies} });`;
  const dying = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
  const built = new URL("../../dist/stores/directory/group-worker.js", import.meta.url);
  const real = [new Worker(built), new Worker(built)];
  const workers = [dying, ...real];
  const thread = new GroupThread(() => workers.shift() ?? dying);
  const order = { step: "occupied", folders: [path.join(tmpdir(), "exhibit-none")] } as const;
  const [first, second] = await Promise.allSettled([thread.run(order), thread.run(order)]);
  expect(first).toMatchObject({ status: "rejected", reason: { message: told } });
  expect(second).toMatchObject({ status: "fulfilled" });
  // Between two orders, nobody waits for it.
  await real[0]?.terminate();
  expect(await thread.run(order)).toHaveLength(1);
  await real[1]?.terminate();
});
