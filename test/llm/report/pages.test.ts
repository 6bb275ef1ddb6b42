/** What a reader sees: numbers with their intervals, verdicts, weak places found by rule. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { renderReportHtml } from "../../../src/llm/report/html.ts";
import { renderReportMarkdown } from "../../../src/llm/report/markdown.ts";
import { writeReport } from "../../../src/llm/report/report.node.ts";
import { SHOWN, showText } from "../../../src/llm/report/show-text.ts";
import { weaknesses } from "../../../src/llm/report/weaknesses.ts";
import { evaluation, example, grown, row, stage } from "./grown.ts";

const markdown = renderReportMarkdown(grown);

test("a measure stands with its interval in every model's column", () => {
  // Wilson's interval of 99 and of 100 out of 100, from tables.
  const line = markdown.split("\n").find((one) => one.startsWith("| well-formed turns"));
  assert.ok(
    line?.includes("| 0.990 \\[0.946, 0.998\\] | 1.000 \\[0.963, 1.000\\] | – | 100 |"),
    line,
  );
  assert.ok(renderReportHtml(grown).includes("<small>[0.946, 0.998]</small>"));
  assert.ok(/\| arc_easy .*\| 0\.250 \| 100 \|/.test(markdown), "chance has its column");
});

test("only a number whose interval lies apart from all others is bold", () => {
  const of = (right: number) => evaluation([row("s", "m", right, 100)]);
  const bpb = (value: number) => {
    const more = { unit: "bits/byte", value, low: value - 0.01, high: value + 0.01 } as const;
    return evaluation([row("s", "m", 1, 1, more)]);
  };
  const page = (evals: typeof grown.evals) => renderReportMarkdown({ ...grown, evals });
  assert.ok(page({ base: of(2), sft: of(40), rl: of(80) }).includes("**0.800**"));
  assert.ok(!/\*\*0\.\d/.test(page({ base: of(2), sft: of(75), rl: of(80) })));
  assert.ok(!/\*\*0\.\d/.test(page({ rl: of(80) })), "alone it is better than nothing");
  assert.ok(page({ base: bpb(0.9), sft: bpb(0.8) }).includes("**0.800**"), "fewer bits are better");
});

test("costs of a stage and what it reached", () => {
  const line = (start: string) => markdown.split("\n").find((one) => one.startsWith(`| ${start}`));
  assert.equal(line("MFU"), "| MFU | 20.0 % | 20.0 % | 20.0 % | 20.0 % |");
  assert.equal(line("of it"), `| of it training steps |${" 2 min 30 s |".repeat(4)}`);
  assert.ok(line("result")?.includes("pass@1 0.400 → 0.700 \\[0.600, 0.780\\]"), line("result"));
  assert.ok(markdown.includes("13 min 20 s, 4.80e13 FLOPs"));
});

test("a stage that does not know its FLOPs shows a dash", () => {
  const stages = [stage("rl", { flops: 0, tokens: 0, trainSeconds: 0 })];
  const page = renderReportMarkdown({ ...grown, stages });
  assert.ok(/\| MFU \| – \|/.test(page) && /\| tokens \| – \|/.test(page));
});

test("answers to one question stand beside each other with a program's verdict", () => {
  assert.ok(markdown.includes("| 24 × 78, tool | wrong | right | right |"));
  assert.ok(markdown.includes("base: wrong\n\n```text\nIt is 1752.\n```"));
  assert.ok(markdown.includes("I can't help.␣"), "a space at the end is seen");
  assert.ok(markdown.includes("seed 42 draws"));
  const partly = evaluation([row("s", "m", 1, 2, { examples: [example("almost", 0.25)] })]);
  assert.ok(renderReportMarkdown({ ...grown, evals: { rl: partly } }).includes("RL: partly, 0.25"));
});

test("answers to different questions never stand together", () => {
  const asked = (prompt: string) => ({ ...example(`to ${prompt}`, 1), prompt });
  const of = (...prompts: string[]) =>
    evaluation([row("s", "m", 1, 2, { examples: prompts.map(asked) })]);
  // The base model could not read the first question, so its first example is the second one.
  const page = renderReportMarkdown({ ...grown, evals: { base: of("two"), rl: of("one", "two") } });
  const samples = page.slice(page.indexOf("## Samples"));
  const [, two = "", one = ""] = samples.split(/\n### \d\n/);
  assert.ok(two.includes("base: right\n\n```text\nto two\n") && two.includes("RL: right"), two);
  assert.ok(one.includes("to one") && !one.includes("base"), one);
});

test("hidden signs are named, long texts are cut and say so", () => {
  assert.equal(showText(" a\tb \n"), "␣a⇥b␣↵\n");
  assert.equal(showText("a\u0007\u202eb\u0085"), "a<U+0007><U+202E>b<U+0085>");
  assert.equal(showText("a  b\n\nc"), "a  b\n\nc", "inside nothing changes");
  assert.equal(showText(""), "");
  assert.equal(showText("x\ud800y"), "x\ufffdy");
  assert.equal(showText("x".repeat(SHOWN + 1)), `${"x".repeat(SHOWN)}… (cut; 701 in all)`);
  const long = showText("😀".repeat(2 * SHOWN));
  assert.ok(
    long.startsWith(`${"😀".repeat(SHOWN)}…`) && long.endsWith("(cut; 1,400 in all)"),
    long,
  );
});

test("weak places are found by rule, each with its numbers", () => {
  const found = Object.fromEntries(weaknesses(grown).map((one) => [one.rule, one.findings]));
  const rules = Object.keys(found);
  const [low, chance, warned, lost] = rules.map((rule) => found[rule] as string[]);
  assert.equal(rules.length, 4, "nothing got worse, and RL raised pass@1");
  assert.equal(low?.length, 7);
  // Four of system 1, four of system 2 and arc_easy lie below 0.9; six are listed.
  assert.equal(low?.[6], "and 3 more");
  assert.equal(low?.[0], "RL, arithmetic / solved: system 1, 4 digits: 0.100 [0.055, 0.174]");
  assert.equal(chance?.[0], "RL, core / arc_easy: 0.270 [0.193, 0.364], chance 0.250");
  assert.equal(
    chance?.[1],
    "reward: 0.450 of pairs right where the shorter answer is the better one",
  );
  assert.deepEqual(warned, ["rl: over 20 nats a reply away: 28 (3 times, first at step 28)"]);
  assert.deepEqual(lost, [
    "reward: cut_prompts 3",
    "rl: truncated at 10 steps, 0.1 at most",
    "base, SFT, RL: core / arc_easy, 4 of 104 left out",
    "base, SFT, RL: math / gsm8k, not measured: no data folder",
  ]);
});

test("a model that got worse and an RL that taught nothing are said", () => {
  const of = (right: number) => evaluation([row("s", "m", right, 100)]);
  const rate = (value: number) => ({ value, low: value - 0.1, high: value + 0.1, n: 100 });
  const stages = [
    stage("reward", { result: { accuracy: 0.52, accuracy_low: 0.45, accuracy_high: 0.59 } }),
    stage("rl", { result: { passBefore: rate(0.5), passAfter: rate(0.55), skipped: 2 } }),
  ];
  const record = { ...grown, stages, evals: { base: of(10), sft: of(95), rl: of(60) } };
  const text = weaknesses(record).flatMap(({ findings }) => findings);
  assert.ok(text.includes("RL, s / m: 0.600 [0.502, 0.691]; SFT 0.950"), text.join("\n"));
  assert.ok(text.includes("0.500 [0.400, 0.600] before, 0.550 [0.450, 0.650] after"));
  assert.ok(text.includes("reward: 0.520 [0.450, 0.590] of pairs right"));
  assert.ok(text.includes("rl: skipped 2"));
  assert.equal(text.filter((one) => one.includes("base")).length, 0);
});

test("a measure that only an earlier model has is compared with chance there", () => {
  const row50 = row("preferences", "built-in", 50, 100, { chance: 0.5 });
  const evals = { sft: evaluation([row50]), rl: evaluation([]) };
  const text = weaknesses({ ...grown, stages: [], evals }).flatMap(({ findings }) => findings);
  assert.deepEqual(text, ["SFT, preferences / built-in: 0.500 [0.404, 0.596], chance 0.500"]);
});

test("files are written whole, pictures of the Markdown page beside it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  const out = join(folder, "run");
  const files = await writeReport(out, grown);
  for (const path of Object.values(files)) assert.ok(existsSync(path), path);
  const pictures = [...readFileSync(files.markdown, "utf8").matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)];
  assert.equal(pictures.length, 5, "digits, and four stages");
  for (const [, name = ""] of pictures)
    assert.match(readFileSync(join(out, name), "utf8"), /^<svg [\s\S]*<\/svg>\n$/);
  assert.deepEqual(JSON.parse(readFileSync(files.record, "utf8")), grown);
  writeFileSync(join(folder, "file"), "");
  await assert.rejects(writeReport(join(folder, "file", "run"), grown), { code: "DISK" });
  rmSync(folder, { recursive: true });
});
