/** Plans against published runs and against arithmetic that can be done by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attentionFlops, likelySequenceLen, likelyShape } from "../../../src/llm/scaling/flops.ts";
import { machineOf, machines } from "../../../src/llm/scaling/machines.ts";
import { makePlan, type PlanRequest } from "../../../src/llm/scaling/plan.ts";
import { impliedMfu, publishedRuns } from "../../../src/llm/scaling/published.ts";
import { renderPlan } from "../../../src/llm/scaling/report.ts";

const a100: PlanRequest = { machine: machines.a100, gpus: 1, fit: "epoch", precision: "bf16" };
const llama70: PlanRequest = { ...a100, params: 70e9, tokens: 2e12 };

function close(actual: number, expected: number, relative: number): void {
  const off = Math.abs(actual / expected - 1);
  assert.ok(off <= relative, `got ${actual}, expected ${expected} within ${relative}`);
}

test("LLaMA-2 70B: FLOPs, file and memory exactly, hours within 10 %, money within 35 %", () => {
  const plan = makePlan(llama70);
  assert.equal(plan.flops, 8.4e23);
  assert.equal(plan.files.bf16, 140e9);
  assert.equal(plan.files.int4, 35e9);
  assert.equal(plan.memory.total, 70e9 * 16);
  assert.equal(plan.minGpus, 14);
  close(plan.gpuHours, 1_720_320, 0.1);
  close(plan.usd, 2e6, 0.35);
  assert.equal(plan.published?.run.name, "LLaMA-2 70B");
  close(plan.published?.impliedMfu ?? 0, 0.435, 0.002);
  close(plan.published?.impliedUsdPerHour ?? 0, 1.1626, 0.001);
});

test("at the MFU that the published run implies, its hours come out", () => {
  const run = publishedRuns.find(({ name }) => name === "LLaMA-2 70B");
  assert.ok(run);
  const machine = machineOf("a100", { mfu: impliedMfu(run) });
  close(makePlan({ ...llama70, machine }).gpuHours, run.gpuHours, 1e-12);
});

test("the assumed MFU of an a100 is the mean of the published runs, rounded", () => {
  const rates = publishedRuns.map(impliedMfu);
  const mean = rates.reduce((a, b) => a + b, 0) / rates.length;
  close(mean, 0.39, 0.01);
  assert.equal(Number(mean.toFixed(1)), machines.a100.mfu);
  assert.ok(Math.min(...rates) > 0.345 && Math.max(...rates) < 0.44, String(rates));
});

test("the published hours add up to the total that the paper prints", () => {
  const total = publishedRuns.reduce((hours, run) => hours + run.gpuHours, 0);
  assert.equal(total, 3_311_616);
});

test("a budget in dollars, hours or FLOPs buys what it would cost", () => {
  const flops = makePlan({ ...a100, budget: { flops: 1e20 } });
  close(flops.flops, 1e20, 1e-12);
  const usd = makePlan({ ...a100, budget: { usd: flops.usd } });
  close(usd.params, flops.params, 1e-9);
  const hours = makePlan({ ...a100, gpus: 8, budget: { hours: flops.gpuHours / 8, gpus: 8 } });
  close(hours.tokens, flops.tokens, 1e-9);
  close(hours.clockHours, flops.gpuHours / 8, 1e-9);
});

test("a size or a number of tokens beside a budget is kept", () => {
  const budget = { flops: 6e20 };
  assert.equal(makePlan({ ...a100, budget, params: 1e9 }).tokens, 1e11);
  assert.equal(makePlan({ ...a100, budget, tokens: 1e11 }).params, 1e9);
});

test("a request that fixes too little, too much, or buys with no price is refused", () => {
  const wrong: PlanRequest[] = [
    a100,
    { ...a100, tokens: 1e9 },
    { ...llama70, budget: { flops: 1 } },
    { ...a100, machine: machines.cpu, budget: { usd: 5 } },
  ];
  for (const request of wrong) {
    assert.throws(() => makePlan(request), { code: "CONFIG", message: /^plan: / });
  }
});

test("attention of LLaMA-2 70B is 12·L·C·T a token, and its likely shape is close", () => {
  assert.equal(
    attentionFlops({ nLayer: 80, nEmbd: 8192 }, 4096, 2e12),
    12 * 80 * 8192 * 4096 * 2e12,
  );
  const shape = likelyShape(70e9);
  close(shape.nLayer, 80, 0.15);
  close(shape.nEmbd, 8192, 0.15);
  close(12 * shape.nLayer * shape.nEmbd ** 2, 70e9, 1e-9);
  assert.equal(likelySequenceLen(shape), 4096);
});

test("the text shows plan and published run side by side, every assumption, in 100 columns", () => {
  const text = renderPlan(makePlan(llama70));
  for (const part of [
    /GPU hours +1,869,658 +1,720,320 +1\.09/,
    /MFU +0\.400 assumed +0\.435 implied/,
    /money +\$2\.62 million +about \$2 million/,
    /file, bf16 +140 GB +140 GB/,
    /peak +312 TFLOP\/s/,
    /price +\$1\.40 an hour/,
    /extrapolation/,
  ]) {
    assert.match(text, part);
  }
  for (const machine of Object.values(machines)) {
    const lines = renderPlan(makePlan({ ...llama70, machine })).split("\n");
    for (const line of lines) assert.ok(line.length <= 100, line);
  }
});

test("a plan with no published neighbour compares with none", () => {
  assert.doesNotMatch(renderPlan(makePlan({ ...llama70, machine: machines.h100 })), /implied/);
  assert.doesNotMatch(renderPlan(makePlan({ ...llama70, tokens: 1e12 })), /published/);
});

test("neither precision of training has a byte left out", () => {
  for (const precision of ["bf16", "f32"] as const) {
    const { memory } = makePlan({ ...llama70, precision });
    assert.equal(memory.weights + memory.gradients + memory.optimizer, memory.total);
    assert.equal(memory.optimizer, 70e9 * 8);
  }
});
