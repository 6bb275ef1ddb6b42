/** Progress under a clock of our own: what is drawn, when, and what the numbers say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCount, formatDuration } from "../../src/cli/format.ts";
import { Progress, renderBar } from "../../src/cli/progress.ts";
import { RecordedStreams, recordedIo } from "./recorded-streams.ts";

function watch(isTTY: boolean, total: number | undefined, seconds: number): RecordedStreams {
  const streams = new RecordedStreams({ isTTY, columns: 80 });
  let clock = 0;
  const options = { label: "read", unit: "bytes", now: () => clock };
  using progress = new Progress(
    recordedIo(streams),
    total === undefined ? options : { ...options, total },
  );
  for (clock = 0; clock <= seconds * 1000; clock += 50) progress.update(clock);
  clock = seconds * 1000;
  return streams;
}

test("work shorter than a second shows nothing", () => {
  assert.equal(watch(true, 900, 0.9).err, "");
});

test("a terminal gets one redrawn line, at most ten a second, then a summary", () => {
  const { err } = watch(true, 20_000, 10);
  const lines = err.split("\r\x1b[K");
  assert.equal(lines.shift(), "");
  assert.ok(lines.length <= 92, String(lines.length));
  assert.equal(
    lines[0],
    "read [#----------------]   5% | 1.00k/20.0k bytes | 1.00k bytes/s | 19.0 s left",
  );
  for (const line of lines) assert.ok(line.length <= 80 + 1, line);
  assert.equal(lines.at(-1), "read: 10.0k bytes in 10.0 s, 1.00k bytes/s\n");
});

test("a pipe gets a plain line every five seconds", () => {
  const lines = watch(false, 20_000, 12).err.split("\n");
  assert.equal(lines[0], "read   5% | 1.00k/20.0k bytes | 1.00k bytes/s | 19.0 s left");
  assert.equal(lines.length, 5); // at 1, 6 and 11 s, the summary, and after the last newline
});

test("without a total there is a rate and no bar", () => {
  assert.match(watch(true, undefined, 2).err, /read \| 1\.00k bytes \| 1\.00k bytes\/s/);
});

test("bars fill from empty to full", () => {
  assert.equal(renderBar(0, 4), "[----]");
  assert.equal(renderBar(0.5, 4), "[##--]");
  assert.equal(renderBar(1, 4), "[####]");
});

test("counts have three digits and a prefix, durations two units", () => {
  const counts = [0, 7, 2.34567, 999, 1000, 12_345, 999_950, 1e9, 8.4e23, -4096].map(formatCount);
  assert.deepEqual(counts, [
    "0",
    "7",
    "2.35",
    "999",
    "1.00k",
    "12.3k",
    "1.00M",
    "1.00G",
    "8.40e+5E",
    "-4.10k",
  ]);
  const durations = [0, 4.56, 59.94, 59.96, 150, 3599.7, 7260, 86_400].map(formatDuration);
  assert.deepEqual(durations, [
    "0.0 s",
    "4.6 s",
    "59.9 s",
    "1m 00s",
    "2m 30s",
    "1h 00m",
    "2h 01m",
    "24h 00m",
  ]);
});
