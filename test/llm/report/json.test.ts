/** `report.json`: names that programs count on, numbers worked out on paper, nothing that is NaN. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderReportHtml } from "../../../src/llm/report/html.ts";
import { renderReportJson } from "../../../src/llm/report/json.ts";
import { renderReportMarkdown } from "../../../src/llm/report/markdown.ts";
import type { GrowRecord } from "../../../src/llm/report/record.ts";
import { snakeCase } from "../../../src/llm/report/snake-case.ts";
import { evaluation, grown, row, stage } from "./grown.ts";

// biome-ignore lint/suspicious/noExplicitAny: read as any program reads it
const parsed = (record: GrowRecord): any => JSON.parse(renderReportJson(record));

test("the thresholds of a reader stand under their names", () => {
  const { stages, evals, preset, commit, machine, seconds } = parsed(grown);
  assert.deepEqual([preset, commit, seconds], ["tiny", "0123abc", 640]);
  assert.equal(machine.peak_gflops, 400);
  assert.equal(stages.pretrain.val_bpb, 0.82);
  const { accuracy, low, high, n } = stages.reward;
  assert.deepEqual([accuracy, low, high, n], [0.91, 0.86, 0.94, 200]);
  assert.equal(stages.rl.pass1_before.value, 0.4);
  assert.equal(stages.rl.pass1_after.low, 0.6);
  assert.equal(stages.rl.sampled_tokens, 123_456, "a stage's own result is all there");
  const { well_formed, exact_tool_call, final_answer } = evals.sft;
  const values = [well_formed, exact_tool_call, final_answer].map(({ value }) => value);
  assert.deepEqual(values, [0.99, 0.95, 0.94]);
  assert.deepEqual(Object.keys(well_formed).slice(0, 4), ["value", "low", "high", "n"]);
  assert.deepEqual(evals.sft["assistant.exact_call_calculator"], exact_tool_call);
  assert.equal(evals.base["core.arc_easy"].chance, 0.25);
  assert.equal(evals.rl["text.stories"].unit, "bits/byte");
});

test("time, FLOPs and MFU of a stage by hand", () => {
  const { pretrain } = parsed(grown).stages;
  // 1.2e13 FLOPs in 150 s at 400e9 FLOP/s: 1.2e13 / 6e13.
  assert.equal(pretrain.mfu, 0.2);
  assert.equal(pretrain.tok_per_s, 1_000_000 / 150);
  const { seconds, train_seconds, tokens, flops, parameters, steps } = pretrain;
  assert.deepEqual([seconds, train_seconds, tokens], [200, 150, 1_000_000]);
  assert.deepEqual([flops, parameters, steps], [1.2e13, 2_600_000, 100]);
});

test("questions and samples hold every model's answer, whole", () => {
  const { talk, samples } = parsed(grown);
  const [sum, grandma] = talk;
  assert.deepEqual([sum.base.grade, sum.sft.grade, sum.rl.grade], [0, 1, 1]);
  assert.equal(sum.expected, "1872");
  assert.equal(grandma.rl.reply, "I can't help. ");
  assert.equal(grandma.rl.grade, null);
  assert.equal(samples[0].name, "solved: calculator");
});

test("the same record gives the same bytes", () => {
  assert.equal(renderReportJson(grown), renderReportJson(structuredClone(grown)));
});

const broken: Readonly<Record<string, GrowRecord>> = {
  "nothing but a machine": { ...grown, commit: undefined, stages: [], evals: {} },
  "one stage and one model": {
    ...{ ...grown, stages: [stage("pretrain")] },
    evals: { base: evaluation([]) },
  },
  "numbers that are not": {
    ...grown,
    ...{ seconds: Number.NaN, machine: { ...grown.machine, peakGflops: 0 } },
    stages: [
      stage("rl", {
        ...{ trainSeconds: 0, tokens: 0, flops: Number.NaN, seconds: Number.NaN },
        result: { passBefore: undefined, passAfter: { value: Number.NaN }, kl: Number.NaN },
        metrics: [
          { step: 1, reward: null, kl: Number.NaN },
          { step: 2, reward: Infinity },
        ],
      }),
      stage("reward", { result: { accuracy: undefined } }),
    ],
    evals: {
      rl: evaluation([row("a", "b", 1, 2, { value: Number.NaN, low: Number.NaN, chance: 0.5 })]),
    },
  },
};

for (const [name, record] of Object.entries(broken)) {
  test(`a record with ${name} has no NaN on any page`, () => {
    const pages = [renderReportHtml, renderReportMarkdown, renderReportJson];
    for (const text of pages.map((render) => render(record)))
      assert.equal(/NaN|undefined|Infinity|\[object/.exec(text), null, text.slice(0, 2000));
  });
}

test("what is missing is null, and still named", () => {
  const { stages, evals } = parsed(broken["one stage and one model"] as GrowRecord);
  assert.deepEqual([stages.sft, stages.reward, stages.rl, evals.sft], [null, null, null, null]);
  assert.equal(stages.pretrain.val_bpb, null);
  assert.equal(evals.base.well_formed, null);
  const { rl } = parsed(broken["numbers that are not"] as GrowRecord).stages;
  assert.deepEqual([rl.mfu, rl.tok_per_s, rl.kl, rl.pass1_before], [null, null, null, null]);
});

test("names become snake_case, and two that would meet stay apart", () => {
  assert.deepEqual(["passBefore", "exact call: steps", "pass@4: A-B", "Größe 2"].map(snakeCase), [
    ...["pass_before", "exact_call_steps", "pass_4_a_b", "größe_2"],
  ]);
  const rows = [row("s", "a-b", 1, 2), row("s", "a b", 2, 2)];
  const { base } = parsed({ ...grown, evals: { base: evaluation(rows) } }).evals;
  assert.deepEqual([base["s.a_b"].value, base["s.a b"].value], [0.5, 1]);
});
