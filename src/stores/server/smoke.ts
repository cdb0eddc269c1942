import type { SmokeRoom } from "../../evidence/ports/smoke-room.ts";
import { exhibitEntrySchema } from "../../protocol/exhibits.ts";
import { smokePath } from "../../protocol/smoke.ts";
import type { Session } from "./session.ts";
import { strangerBy } from "./stranger.ts";
import { valid } from "./valid-answer.ts";

/** Synthetic material at an exhibit server. What a lost answer leaves there is erased by the server after a day. */
export function smokeRoomOf(session: Session): SmokeRoom {
  return {
    async begin(totalBytes, signal) {
      const call = { method: "POST", path: smokePath, body: { totalBytes }, once: true } as const;
      return valid(exhibitEntrySchema, (await session.call(call, signal)).body);
    },
    async erase({ id }, signal) {
      const path = `${smokePath}/${encodeURIComponent(id)}`;
      await session.call({ method: "DELETE", path }, signal);
    },
    stranger: strangerBy((url) => session.routeTo(url)),
  };
}
