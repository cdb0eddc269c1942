// tsc copies no files but its own output: the share page's style sheet and script go along by hand.
import { cp } from "node:fs/promises";

const assets = "server/pages/assets";
await cp(
  new URL(`../src/${assets}`, import.meta.url),
  new URL(`../dist/${assets}`, import.meta.url),
  {
    recursive: true,
  },
);
