import { Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { bytesAnswer } from "../items/downloads.ts";
import { currentVersion, isMarked } from "../items/items.ts";
import type { World } from "../world.ts";
import type { SharedLink } from "./link.ts";

/**
 * `GET /s/:code`: what a recipient without an account sees. Renders no content and no mark; it says whether there would be one.
 * The password is `?password=`, where the link has one.
 */
export function linkPage(world: World, call: Call): Answer {
  const link = opened(world, call, "s");
  if (link === undefined) return passwordForm();
  const { item } = link;
  link.previews += 1;
  world.events.add("PREVIEW", undefined, item);
  const mark = isMarked(item) ? "Shown with a watermark." : "Shown without a watermark.";
  const download = world.links.mayDownload(link)
    ? `<p><a href="/shared/static/${link.code}">Download</a></p>`
    : "";
  const name = item.name.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return page(200, `<h1>${name}</h1><p>${mark}</p>${download}`);
}

/** `GET /shared/static/:code`: the bytes, where the link lets them go and no mark stands in the way. */
export function linkDownload(world: World, call: Call): Answer {
  const link = opened(world, call, "s");
  if (link === undefined) return passwordForm();
  const { item } = link;
  if (item.kind !== "file" || !world.links.mayDownload(link) || isMarked(item)) {
    return page(403, "<p>This item cannot be downloaded.</p>");
  }
  link.downloads += 1;
  world.events.add("DOWNLOAD", undefined, item);
  return bytesAnswer(currentVersion(item).content, item.name, call.header("range"));
}

/** Undefined where the password is missing or another one. */
function opened(world: World, call: Call, kind: string): SharedLink | undefined {
  try {
    const password = call.query.get("password");
    return world.links.opened(`/${kind}/${call.param("code")}`, password, undefined);
  } catch (error) {
    if (error instanceof Refusal && error.code === "incorrect_shared_item_password") {
      return undefined;
    }
    throw error;
  }
}

function passwordForm(): Answer {
  return page(403, `<form><input name="password" type="password"><button>Open</button></form>`);
}

function page(status: number, body: string): Answer {
  const text = `<!doctype html><html lang="en"><title>Box</title><body>${body}</body></html>`;
  return { status, headers: { "content-type": "text/html; charset=utf-8" }, text };
}
