/**
 * The reward loss and the scalar head against PyTorch's numbers (torch/make.py) on every backend,
 * against closed forms, and where there is nothing to compare.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Backend, HostArray } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { grad } from "../../../src/compute/gradients.ts";
import { input, type Value } from "../../../src/compute/graph.ts";
import { sum } from "../../../src/compute/ops/broadcast.ts";
import { scalarHeadAt } from "../../../src/llm/model/scalar-head.ts";
import {
  type PairInputs,
  type PairLossOptions,
  pairSums,
  softplus,
} from "../../../src/llm/reward/bradley-terry.ts";
import { assertClose } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";

const fixture = JSON.parse(readFileSync(new URL("./torch/losses.json", import.meta.url), "utf8"));
const { R, T, C, last } = fixture.shape as { R: number; T: number; C: number; last: number[] };
const TOLERANCE = 3e-6;

type Pair = readonly [chosen: number, rejected: number, margin: number];

/** The arrays of a batch, two longer than they need be. */
function pairArrays(prompts: readonly (readonly Pair[])[], marginScale: number) {
  const P = prompts.flat().length + 2;
  const column = (of: (pair: Pair, prompt: readonly Pair[]) => number): number[] => {
    const found = prompts.flatMap((prompt) => prompt.map((pair) => of(pair, prompt)));
    return [...found, ...new Array<number>(P - found.length).fill(0)];
  };
  return {
    chosen: Int32Array.from(column(([chosen]) => chosen)),
    rejected: Int32Array.from(column(([, rejected]) => rejected)),
    weight: Float32Array.from(column((_, prompt) => 1 / prompt.length)),
    margin: Float32Array.from(column(([, , margin]) => marginScale * margin)),
  };
}

function pairInputs(P: number): PairInputs {
  return {
    chosen: input("chosen", [P], "i32"),
    rejected: input("rejected", [P], "i32"),
    weight: input("weight", [P]),
    margin: input("margin", [P]),
  };
}

async function lossOf(
  backend: Backend,
  rewards: readonly number[],
  prompts: readonly (readonly Pair[])[],
  options: PairLossOptions & { readonly margin: number },
): Promise<Record<string, HostArray>> {
  const leaf = input("rewards", [rewards.length]);
  const arrays = pairArrays(prompts, options.margin);
  const { loss, count, accuracy, lead } = pairSums(leaf, pairInputs(arrays.weight.length), options);
  const [gradient] = grad(loss, [leaf]) as [Value];
  const store = backend.createStore();
  const program = await backend.compile(
    { outputs: { loss, count, accuracy, lead, gradient } },
    store,
  );
  const found = await program.run({ rewards: Float32Array.from(rewards), ...arrays });
  program.dispose();
  store.dispose();
  return found;
}

const plain = { centring: 0, labelSmoothing: 0, margin: 0 };

for (const { name, options, pairs, inputs, loss, gradients } of fixture.cases) {
  forEachBackend(`loss and gradients as PyTorch's: ${name}`, async (backend) => {
    const leaves = new Map<string, Value>([
      ["hidden", input("hidden", [R * T, C])],
      ["score.weight", input("weight of head", [1, C])],
      ["score.bias", input("bias of head", [1])],
    ]);
    const hidden = leaves.get("hidden") as Value;
    const rewards = scalarHeadAt(leaves, hidden, input("last", [R], "i32"));
    const arrays = pairArrays(pairs, options.margin);
    const sums = pairSums(rewards, pairInputs(arrays.weight.length), options);
    const [dHidden, dWeight, dBias] = grad(sums.loss, [...leaves.values()]) as [
      Value,
      Value,
      Value,
    ];
    const store = backend.createStore();
    const outputs = { loss: sums.loss, count: sums.count, dHidden, dWeight, dBias };
    const program = await backend.compile({ outputs }, store);
    const found = await program.run({
      hidden: Float32Array.from(inputs.hidden),
      "weight of head": Float32Array.from(inputs.weight),
      "bias of head": Float32Array.from(inputs.bias),
      last: Int32Array.from(last, (t, row) => row * T + t),
      ...arrays,
    });
    program.dispose();
    store.dispose();
    assertClose("loss", found.loss as HostArray, [loss], TOLERANCE);
    assert.ok(Math.abs((found.count?.[0] as number) - pairs.length) < 1e-6);
    assertClose("hidden", found.dHidden as HostArray, gradients.hidden, TOLERANCE);
    assertClose("weight", found.dWeight as HostArray, gradients.weight, TOLERANCE, 1);
    // Without centring a bias moves nothing: its gradient is a sum that cancels.
    assertClose("bias", found.dBias as HostArray, gradients.bias, TOLERANCE, 1);
  });
}

forEachBackend("two answers: ln(1 + e^-lead), and σ(-lead) as its gradient", async (backend) => {
  for (const lead of [0, 1, -2.5, 30, -30, 200, -200]) {
    const found = await lossOf(backend, [lead + 0.5, 0.5], [[[0, 1, 0]]], plain);
    const loss = Math.max(0, -lead) + Math.log1p(Math.exp(-Math.abs(lead)));
    const slope = 1 / (1 + Math.exp(lead));
    assertClose(`loss at ${lead}`, found.loss as HostArray, [loss], 1e-6, 0.1);
    assertClose(`gradient at ${lead}`, found.gradient as HostArray, [-slope, slope], 1e-6, 1e-30);
    const right = lead > 0 ? 1 : lead === 0 ? 0.5 : 0;
    assert.deepEqual([found.accuracy?.[0], found.lead?.[0]], [right, lead]);
  }
});

forEachBackend("no pair at all: loss 0 and no gradient, not NaN", async (backend) => {
  const found = await lossOf(backend, [3, 900, -1], [], { ...plain, centring: 0.1 });
  assert.deepEqual([found.loss?.[0], found.count?.[0]], [0, 0]);
  assert.deepEqual([...(found.gradient as HostArray)].map(Math.abs), [0, 0, 0]);
});

test("a prompt weighs the same however many answers it has, alone or beside others", async () => {
  const backend = createReferenceBackend();
  const rewards = [0.3, -0.2, 1.1, 0.4, -0.9];
  const three: Pair[] = [
    [0, 1, 0],
    [0, 2, 0],
    [1, 2, 0],
  ];
  const two: Pair[] = [[3, 4, 0]];
  const both = await lossOf(backend, rewards, [three, two], plain);
  const [first, second] = [
    await lossOf(backend, rewards, [three], plain),
    await lossOf(backend, rewards, [two], plain),
  ];
  const total = (first.loss?.[0] as number) + (second.loss?.[0] as number);
  assertClose("loss", both.loss as HostArray, [total], 1e-6);
  const pair = (lead: number): number => Math.log1p(Math.exp(-lead));
  const byHand = (pair(0.5) + pair(-0.8) + pair(-1.3)) / 3;
  assertClose("three answers", first.loss as HostArray, [byHand], 1e-6);
});

forEachBackend("softplus rises by σ(x), at 0 as well", async (backend) => {
  const x = input("x", [5]);
  const outputs = { y: softplus(x), slope: grad(sum(softplus(x)), [x])[0] as Value };
  const store = backend.createStore();
  const program = await backend.compile({ outputs }, store);
  const at = [-100, -1, 0, 1, 100];
  const { y, slope } = await program.run({ x: Float32Array.from(at) });
  program.dispose();
  assertClose(
    "y",
    y as HostArray,
    at.map((v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)))),
    1e-7,
  );
  assertClose(
    "slope",
    slope as HostArray,
    at.map((v) => 1 / (1 + Math.exp(-v))),
    1e-6,
  );
});
