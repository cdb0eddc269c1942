import { badRequest, notFound, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { itemBody } from "../items/bodies.ts";
import type { World } from "../world.ts";

/** `GET /shared_items`: what the link in the header `BoxApi` leads to. */
export function sharedItem(world: World, call: Call): Answer {
  const { linked } = call.access;
  if (call.header("boxapi") === undefined) throw badRequest("The BoxApi header is required");
  if (linked === undefined) throw notFound();
  return { status: 200, json: itemBody(world, call.access, linked, call.fields) };
}
