/**
 * `npm test`: type check, lint and every test, in this order; stops at the first of the three that
 * fails. Words name test files to run instead of all. Ends with the reason of every test that was
 * skipped, so that a skip is never silent, and one line of counts.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const root = dirname(import.meta.dirname);

/** @returns whether the tool was content; its output goes to ours */
function check(title: string, command: string, ...args: readonly string[]): boolean {
  const start = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "✔" : "✖"} ${title} (${seconds} s)`);
  return status === 0;
}

/** @returns whether all passed */
async function runTests(files: readonly string[]): Promise<boolean> {
  const counts = { passed: 0, failed: 0 };
  const skipped: string[] = [];
  const events = run({ cwd: root, files: [...files], concurrency: 2 });
  events.on("test:fail", () => counts.failed++);
  events.on("test:pass", ({ name, skip }) => {
    if (skip === undefined || skip === false) counts.passed++;
    else skipped.push(`skipped: ${name}: ${skip === true ? "no reason given" : skip}`);
  });
  const report = events.compose(new spec());
  report.pipe(process.stdout);
  await finished(report);
  for (const line of skipped) console.log(line);
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${skipped.length} skipped`);
  return counts.failed === 0;
}

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync("test/**/*.test.ts", { cwd: root }).sort();
const ready =
  check("types", "tsc", "-b") && check("lint and format", "biome", "check", "--error-on-warnings");
process.exitCode = ready && (await runTests(files)) ? 0 : 1;
