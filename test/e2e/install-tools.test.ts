import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "@jest/globals";

it("where nothing may be installed, says what is missing and what to run, and fails", () => {
  const script = fileURLToPath(new URL("../../scripts/install-tools.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "ffmpeg"], {
    env: { PATH: "/nowhere", EXHIBIT_NO_INSTALL: "1" },
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^Missing: ffmpeg, ffprobe/);
  expect(stderr).toContain("Run:\n  apt-get install -y --no-install-recommends ffmpeg");
});
