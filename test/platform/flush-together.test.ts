import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "@jest/globals";
import { flushTogether } from "../../src/platform/flush-together.ts";

it("fails where a file system cannot be synced, and asks for every file by itself from then on", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-flush-"));
  const root = path.join(folder, "root");
  const file = path.join(folder, "file");
  await mkdir(root);
  await writeFile(file, "evidence");
  const flush = flushTogether();
  const made = { files: [file], folders: [folder] };
  await flush(root, made);
  if (process.platform === "linux") {
    // Synced as a whole, no file is looked at.
    await flush(root, { files: [path.join(folder, "none")], folders: [] });
    await rm(root, { recursive: true });
    await expect(flush(root, made)).rejects.toMatchObject({ code: "EIO" });
  }
  await flush(root, made);
  const gone = { files: [path.join(folder, "none")], folders: [] };
  await expect(flush(root, gone)).rejects.toMatchObject({ code: "ENOENT" });
  await rm(folder, { recursive: true });
});
