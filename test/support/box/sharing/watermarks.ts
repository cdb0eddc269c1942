import { fileFor, folderFor } from "../accounts/rights.ts";
import { badRequest, forbidden, notFound, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { objectIn, textIn } from "../http/json.ts";
import { boxDate } from "../items/dates.ts";
import type { Item } from "../items/items.ts";
import type { World } from "../world.ts";

type Of = (world: World, call: Call, right: "see" | "watermark") => Item;
const ofFile: Of = (world, call, right) => fileFor(world, call, right);
const ofFolder: Of = (world, call, right) => folderFor(world, call, right);

export const fileMark = { put: put(ofFile), get: get(ofFile), remove: remove(ofFile) };
export const folderMark = { put: put(ofFolder), get: get(ofFolder), remove: remove(ofFolder) };

/** 201 for a new mark, 200 for one that is there. What cannot be marked is refused, or agreed to and left alone. */
function put(of: Of) {
  return async (world: World, call: Call): Promise<Answer> => {
    const item = of(world, call, "watermark");
    if (!world.settings.watermarks) throw forbidden("Watermarking is not enabled");
    const body = await call.json();
    if (textIn(objectIn(body, "watermark"), "imprint") !== "default") {
      throw badRequest("Invalid value for imprint");
    }
    const now = world.now();
    const { unmarkable } = world.settings;
    if (item.kind === "file" && unmarkable?.name.test(item.name) === true) {
      if (unmarkable.then === "nothing") {
        return { status: 201, json: markBody({ createdAt: now, modifiedAt: now }) };
      }
      throw new Refusal(400, "bad_request", "Watermarking is not supported for this file type");
    }
    const status = item.marked === undefined ? 201 : 200;
    item.marked ??= { createdAt: now, modifiedAt: now };
    item.marked.modifiedAt = now;
    if (status === 201) world.events.add("WATERMARK_LABEL_CREATE", call.access.user, item);
    return { status, json: markBody(item.marked) };
  };
}

function get(of: Of) {
  return (world: World, call: Call): Answer => {
    const item = of(world, call, "see");
    if (item.marked === undefined) throw notFound("Watermark not found");
    return { status: 200, json: markBody(item.marked) };
  };
}

function remove(of: Of) {
  return (world: World, call: Call): Answer => {
    const item = of(world, call, "watermark");
    if (item.marked === undefined) throw notFound("Watermark not found");
    item.marked = undefined;
    world.events.add("WATERMARK_LABEL_DELETE", call.access.user, item);
    return { status: 204 };
  };
}

function markBody(mark: { createdAt: Date; modifiedAt: Date }): Record<string, unknown> {
  return {
    watermark: { created_at: boxDate(mark.createdAt), modified_at: boxDate(mark.modifiedAt) },
  };
}
