import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { targets } from "../../scripts/portable/targets.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit portable "));
  await mkdir(path.join(folder, "node"));
  await mkdir(path.join(folder, "app", "bin"), { recursive: true });
  await symlink(process.execPath, path.join(folder, "node", "node"));
  const script = "console.log(process.argv.slice(2).join('|')); process.exitCode = 6;";
  await writeFile(path.join(folder, "app", "bin", "exhibit.js"), script);
  await writeFile(
    path.join(folder, "exhibit"),
    targets["linux-x64"]?.files["exhibit"]?.("1") ?? "",
  );
  await chmod(path.join(folder, "exhibit"), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

it("starts on Linux from anywhere, also by a link, with all arguments and its exit code", async () => {
  const link = path.join(folder, "link");
  await symlink(path.join(folder, "exhibit"), link);
  for (const command of [path.join(folder, "exhibit"), link]) {
    const ran = promisify(execFile)(command, ["upload", "bus 42.mp4", '"', "$HOME"], { cwd: "/" });
    await expect(ran).rejects.toMatchObject({ code: 6, stdout: 'upload|bus 42.mp4|"|$HOME\n' });
  }
});

it("starts on Windows by its own place, mapping no drive, and hands the exit code on", () => {
  const cmd = targets["win-x64"]?.files["exhibit.cmd"]?.("1") ?? "";
  expect(cmd).toMatch(/^@echo off\n/);
  expect(cmd).toContain(
    '"%~dp0node\\node.exe" "%~dp0app\\bin\\exhibit.js" %*\nexit /b %ERRORLEVEL%',
  );
  expect(cmd).not.toMatch(/pushd|cd \/d/i);
  expect(targets["win-x64"]?.lineEnd).toBe("\r\n");
});

it.each(Object.entries(targets))("says in plain words how to begin on %s", (_name, { files }) => {
  const text = files["README.txt"]?.("1.2.3") ?? "";
  expect(text).toMatch(/^exhibit 1\.2\.3\n/);
  expect(text).toMatch(/Nothing is installed/);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(130);
});
