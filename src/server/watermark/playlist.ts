import { secondsAt, spanOf, type SegmentPlan } from "./segment-plan.ts";

/** A complete HLS media playlist (RFC 8216) of the plan's segments; each duration is exact to a microsecond. */
export function playlistOf(plan: SegmentPlan, segmentUrl: (index: number) => string): string {
  const lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-PLAYLIST-TYPE:VOD"];
  const longest = Math.round(secondsAt(plan, plan.framesPerSegment));
  lines.push(`#EXT-X-TARGETDURATION:${Math.max(1, longest)}`, "#EXT-X-MEDIA-SEQUENCE:0");
  lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  for (let index = 0; index < plan.segments; index += 1) {
    const seconds = secondsAt(plan, spanOf(plan, index)?.frames ?? 0);
    lines.push(`#EXTINF:${seconds.toFixed(6)},`, segmentUrl(index));
  }
  lines.push("#EXT-X-ENDLIST", "");
  return lines.join("\n");
}
