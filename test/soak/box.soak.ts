import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { startBox } from "../support/box/box.ts";
import { addressOf } from "../support/box-store.ts";
import { shareOneLogin } from "../support/box-users.ts";
import { finish, start } from "../support/built-program.ts";
import { writeRandom } from "../support/kill-and-resume.ts";

const MiB = 1024 * 1024;
const sizeBytes = 1024 * MiB;
const kills = 20;
const concurrency = 4;

it("1 GiB to Box, killed with SIGKILL at 20 random moments, arrives once and unchanged", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-box-soak-"));
  const box = await startBox({ settings: { validate: false } });
  try {
    const address = addressOf(box, box.folder(box.users.officer, "soak"));
    expect((await finish(start(folder, ["store", "add", "box", address]))).code).toBe(0);
    const login = start(folder, [
      ...["login", "box", "--client-id", box.app.clientId, "--secret-stdin"],
      ...["--box-ccg", `user:${box.users.officer.id}`],
    ]);
    login.stdin.write(box.app.clientSecret);
    expect((await finish(login)).code).toBe(0);
    const source = path.join(folder, "night bus.bin");
    const sha256 = await writeRandom(source, sizeBytes);
    const argv = [
      ...["upload", source, "--case", "KILL/1", "--initials", "KIL", "--json"],
      ...["--concurrency", String(concurrency)],
    ];
    for (let kill = 0; kill < kills; kill += 1) {
      const child = start(folder, [...argv, "--progress", "json"]);
      const closed = once(child, "close");
      // Of what is sent, a few parts more each time; one that is skipped does not count.
      let left = randomInt(1, 5);
      child.stderr.on("data", (piece: Buffer) => {
        left -= (piece.toString().match(/"type":"part-done".*"sent":true/g) ?? []).length;
        if (left <= 0) child.kill("SIGKILL");
      });
      await closed;
    }
    const { code, out } = await finish(start(folder, argv));
    expect(code).toBe(0);
    const [sent] = (
      JSON.parse(out) as {
        exhibits: { receipt: { files: { digest: { sha256: string } }[] } }[];
      }
    ).exhibits;
    expect(sent?.receipt.files[0]?.digest.sha256).toBe(sha256);
    const files = [...box.tree()].filter(([, { kind }]) => kind === "file");
    const content = files.filter(([name]) => name.endsWith(".bin"));
    expect(content.map(([name]) => name)).toEqual(["soak/KILL_1/KIL_1/KIL_1-0001.bin"]);
    expect(sha256Of(box.content(content[0]?.[1].id ?? ""))).toBe(sha256);
    expect(files.some(([name]) => name.includes(".uploads/"))).toBe(false);
    const received = box.requests.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    const { partBytes } = box.settings;
    process.stdout.write(`Sent again: ${Math.round((received - sizeBytes) / MiB)} MiB.\n`);
    expect(received - sizeBytes).toBeLessThan(kills * concurrency * partBytes + 4 * MiB);
  } finally {
    await box.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 900_000);

it("20 processes share one login for an hour, and nobody is locked out", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-box-soak-"));
  try {
    await shareOneLogin(folder, 20);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 300_000);
