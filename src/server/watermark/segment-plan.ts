import type { MediaFacts, Rate } from "./probe.ts";

/** Samples in an AAC frame, and the rate that all sound is brought to. */
export const aacSamples = 1024;
export const soundRate = 48_000;

/** How a master is cut: into whole frames of a steady rate, about 2 s each. */
export interface SegmentPlan {
  readonly rate: Rate;
  readonly framesPerSegment: number;
  readonly totalFrames: number;
  readonly segments: number;
}

/** Where one segment lies, in frames of the plan's rate and in AAC frames: each is in one segment, none is in two. */
export interface SegmentSpan {
  readonly firstFrame: number;
  readonly frames: number;
  readonly firstAac: number;
  readonly endAac: number;
}

export function planOf(facts: MediaFacts & { picture: { rate: Rate } }): SegmentPlan {
  const { rate } = facts.picture;
  const framesPerSegment = Math.max(1, Math.round((2 * rate.num) / rate.den));
  // A hundredth of a frame is rounding, not a frame.
  const frames = Math.ceil((facts.durationSeconds * rate.num) / rate.den - 0.01);
  const totalFrames = Math.max(1, frames);
  return {
    rate,
    framesPerSegment,
    totalFrames,
    segments: Math.ceil(totalFrames / framesPerSegment),
  };
}

/** Start of frame `frame` in seconds. */
export function secondsAt(plan: SegmentPlan, frame: number): number {
  return (frame * plan.rate.den) / plan.rate.num;
}

/** The span of segment `index`, or undefined behind the last. */
export function spanOf(plan: SegmentPlan, index: number): SegmentSpan | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= plan.segments) return undefined;
  const firstFrame = index * plan.framesPerSegment;
  const frames = Math.min(plan.framesPerSegment, plan.totalFrames - firstFrame);
  return {
    firstFrame,
    frames,
    firstAac: aacAt(plan, firstFrame),
    endAac: aacAt(plan, firstFrame + frames),
  };
}

/** The first AAC frame that starts at or behind a frame's start. */
function aacAt(plan: SegmentPlan, frame: number): number {
  return Math.ceil((frame * plan.rate.den * soundRate) / (plan.rate.num * aacSamples) - 1e-9);
}
