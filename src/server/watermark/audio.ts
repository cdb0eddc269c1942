import { ExhibitError } from "../../evidence/errors.ts";
import type { Errand, Ffmpeg } from "./ffmpeg.ts";
import type { Mark } from "./mark.ts";
import { inputGuard, type MediaFacts } from "./probe.ts";
import { toneExpression } from "./tones.ts";

const longestSeconds = 3 * 3600;
const limits = { timeoutMs: 300_000, maxOutputBytes: 256 * 1024 ** 2 };

/**
 * Makes an MP3 of a recording in which the share id is spelt in audible tones, at the start and every 30 s. Whoever
 * listens hears that it is a copy, and the tones tell whose; they can be filtered out by someone who sets out to.
 *
 * @throws ExhibitError `policy.too-large` over three hours; RunFailed and what `Ffmpeg.run` throws
 */
export async function makeAudio(
  ffmpeg: Ffmpeg,
  url: string,
  facts: MediaFacts,
  mark: Mark,
  errand: Errand,
): Promise<Buffer> {
  refuseTooLong(facts);
  const channels = Math.min(2, facts.sound?.channels ?? 1);
  const layout = channels === 2 ? "stereo" : "mono";
  const rate = (facts.sound?.sampleRate ?? 0) > 24_000 ? 44_100 : 24_000;
  const graph = [
    `[0:a:0]aresample=${rate}:async=1:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=${layout}[heard]`,
    `aevalsrc='${Array(channels).fill(toneExpression(mark.shareId)).join("|")}':s=${rate},` +
      `aformat=sample_fmts=fltp:channel_layouts=${layout}[tones]`,
    "[heard][tones]amix=duration=first:normalize=0,alimiter=limit=0.98[a]",
  ];
  // prettier-ignore
  const args = ["-loglevel", "error", ...inputGuard, "-i", url, "-filter_complex", graph.join(";"), "-map", "[a]",
    "-map_metadata", "-1", "-c:a", "libmp3lame", "-b:a", channels === 2 ? "96k" : "64k", "-write_xing", "0",
    "-f", "mp3", "pipe:1"];
  return ffmpeg.run("ffmpeg", args, { ...errand, ...limits });
}

/** @throws ExhibitError `policy.too-large` */
export function refuseTooLong(facts: MediaFacts): void {
  if (facts.durationSeconds <= longestSeconds) return;
  throw new ExhibitError(
    "policy.too-large",
    "Recordings of more than three hours can't be shared for viewing.",
    {
      hint: "Share it with --access original.",
      facts: { seconds: Math.round(facts.durationSeconds) },
    },
  );
}
