import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { workedExample } from "./worked-example.ts";

const run = promisify(execFile);
const formats = path.resolve("docs/formats");
const example = path.join(formats, "example");

describe("docs/formats", () => {
  let files: Map<string, string>;
  let folder: string;

  beforeAll(async () => {
    files = await workedExample();
    if (process.env["EXHIBIT_WRITE_EXAMPLES"] === "1") {
      await mkdir(example, { recursive: true });
      for (const [name, text] of files) await writeFile(path.join(example, name), text);
    }
    folder = await mkdtemp(path.join(tmpdir(), "exhibit-formats-"));
    await cp(example, folder, { recursive: true });
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it("keeps the worked example as the product's own code makes it", async () => {
    for (const [name, text] of files) {
      expect({ name, text: await readFile(path.join(example, name), "utf8") }).toEqual({
        name,
        text,
      });
    }
  });

  it.each([
    ["record.md", "record.payload.json"],
    ["receipt.md", "receipt.payload.json"],
  ])("%s shows the example's %s", async (page, name) => {
    const text = await readFile(path.join(formats, page), "utf8");
    expect(text).toContain(files.get(name));
  });

  it("custody.md shows the example's first line", async () => {
    const text = await readFile(path.join(formats, "custody.md"), "utf8");
    expect(text).toContain(files.get("custody.jsonl")?.split("\n")[0]);
  });

  describe("the commands that check by hand, with openssl and coreutils", () => {
    it("accept the example", async () => {
      const { stdout } = await byHand(folder);
      expect(stdout).toContain("Signature Verified Successfully");
      expect(stdout).toContain("upper deck.txt: OK");
      expect(stdout).toContain("record.json: OK");
      expect(stdout).toContain("custody log: OK");
    });

    it.each([
      ["the file", "upper deck.txt", (text: string) => text.replace("four", "five")],
      ["the record", "record.json", (text: string) => text.replace("payload", "Payload")],
      [
        "the receipt's payload",
        "receipt.json",
        (text: string) => text.replace('"payload":"eyJz', '"payload":"eyJx'),
      ],
      ["the custody log", "custody.jsonl", (text: string) => text.replace("reserved", "received")],
    ])("notice that %s was changed", async (_, name, change) => {
      const copy = await mkdtemp(path.join(tmpdir(), "exhibit-formats-"));
      await cp(example, copy, { recursive: true });
      const text = await readFile(path.join(copy, name), "utf8");
      expect(change(text)).not.toBe(text);
      await writeFile(path.join(copy, name), change(text));
      await expect(byHand(copy)).rejects.toMatchObject({ code: 1 });
      await rm(copy, { recursive: true });
    });
  });

  /** Runs the shell block of receipt.md as it stands there, in `cwd`. */
  async function byHand(cwd: string): Promise<{ stdout: string }> {
    const page = await readFile(path.join(formats, "receipt.md"), "utf8");
    const block = /```sh\n([\s\S]*?)```/.exec(page)?.[1];
    if (block === undefined) throw new Error("receipt.md has no shell block");
    return run("bash", ["-c", block], { cwd });
  }
});
