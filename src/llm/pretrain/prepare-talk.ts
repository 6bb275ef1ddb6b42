/** What preparing says, on the one line at the bottom that a run has: how far, how fast, how long. */
import type { PrepareProgress, PrepareTalk } from "../data/prepare/talk.ts";
import type { Talk } from "../run/talk.ts";

/** @param now milliseconds that only go up */
export function toPrepareTalk(
  talk: Talk,
  now: () => number = () => performance.now(),
): PrepareTalk {
  let [phase, start] = ["", 0];
  return {
    say: (text) => talk.say(text),
    progress(progress) {
      if (progress.phase !== phase) [phase, start] = [progress.phase, now()];
      talk.status(renderProgress(progress, (now() - start) / 1000));
    },
  };
}

function renderProgress({ phase, done, total, unit }: PrepareProgress, seconds: number): string {
  const rate = done / Math.max(seconds, 1e-3);
  const pace =
    unit === "bytes" ? `${(rate / 1e6).toFixed(1)} MB/s` : `${rate.toFixed(1)} ${unit}/s`;
  if (total === undefined || total === 0 || rate === 0) return `${phase} | ${pace}`;
  const percent = Math.floor((100 * Math.min(done, total)) / total);
  const left = Math.ceil(Math.max(0, total - done) / rate);
  return `${phase} ${percent}% | ${pace} | ${left} s left`;
}
