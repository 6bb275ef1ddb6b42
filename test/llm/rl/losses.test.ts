/**
 * Losses, their gradients and the advantages they use against PyTorch's numbers (torch/make.py), on
 * every backend. PyTorch computed in f64, so the tolerance is our own f32 rounding.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Backend, HostArray } from "../../../src/compute/backend.ts";
import { grad } from "../../../src/compute/gradients.ts";
import { input, type Value } from "../../../src/compute/graph.ts";
import { estimateAdvantages } from "../../../src/llm/rl/advantages/gae.ts";
import { groupAdvantages } from "../../../src/llm/rl/advantages/groups.ts";
import { tokenRewards } from "../../../src/llm/rl/advantages/token-rewards.ts";
import { whiten } from "../../../src/llm/rl/advantages/whiten.ts";
import { dpoLoss } from "../../../src/llm/rl/losses/dpo.ts";
import { grpoLoss } from "../../../src/llm/rl/losses/grpo.ts";
import { type LossType, lossWeight } from "../../../src/llm/rl/losses/loss-weights.ts";
import { policyGradientLoss } from "../../../src/llm/rl/losses/policy-gradient.ts";
import type { LossTerms } from "../../../src/llm/rl/losses/policy-rows.ts";
import { ppoPolicyLoss, valueLoss } from "../../../src/llm/rl/losses/ppo.ts";
import { rlooLoss } from "../../../src/llm/rl/losses/rloo.ts";
import { assertClose } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";

const fixture = JSON.parse(readFileSync(new URL("./torch/losses.json", import.meta.url), "utf8"));
const { B, T, group: G } = fixture.shape as Record<"B" | "T" | "group", number>;
const N = B * T;
const { options } = fixture;
const clip = { low: options.low, high: options.high };
const TOLERANCE = 3e-6;

const given = (name: string): Float32Array => Float32Array.from(fixture.inputs[name]);
const mask = given("mask");
const maskRows = rowsOf(mask).map((row) => Uint8Array.from(row));
const perSample = (rule: (rewards: number[]) => number[]): number[] =>
  Array.from({ length: B / G }, (_, g) =>
    rule(fixture.inputs.rewards.slice(g * G, (g + 1) * G)),
  ).flat();
const overTokens = (samples: readonly number[]): Float32Array =>
  Float32Array.from({ length: N }, (_, i) => samples[Math.floor(i / T)] as number);

function rowsOf(all: Float32Array): Float32Array[] {
  return Array.from({ length: B }, (_, b) => all.subarray(b * T, (b + 1) * T));
}

/** What one loss is built from, what it is divided by, and what PyTorch found. */
interface LossCase {
  readonly inputs: Readonly<Record<string, Float32Array>>;
  readonly leaf: string;
  readonly build: (values: Readonly<Record<string, Value>>) => LossTerms;
  readonly units: number;
  readonly want: Readonly<Record<string, number | number[]>>;
  /** Metrics with PyTorch's means. */
  readonly metrics?: Readonly<Record<string, number>>;
}

async function check(backend: Backend, name: string, c: LossCase): Promise<void> {
  const leaves = Object.entries(c.inputs).map(([key, { length }]) => [key, input(key, [length])]);
  const values = Object.fromEntries(leaves) as Record<string, Value>;
  const { loss, metrics } = c.build(values);
  const [gradient] = grad(loss, [values[c.leaf] as Value]) as [Value];
  const program = await backend.compile(
    { outputs: { ...metrics, loss, gradient } },
    backend.createStore(),
  );
  const out = await program.run(c.inputs);
  const mean = (key: string): number[] => Array.from(out[key] as HostArray, (x) => x / c.units);
  assertClose(`${name} loss`, mean("loss"), [c.want.loss as number], TOLERANCE);
  assertClose(`${name} gradient`, mean("gradient"), c.want[`d_${c.leaf}`] as number[], TOLERANCE);
  for (const [key, want] of Object.entries(c.metrics ?? {}))
    assertClose(`${name} ${key}`, mean(key), [want], TOLERANCE);
  program.dispose();
}

/** Weights of tokens, and the units of the whole batch. */
function weightsOf(type: LossType): { weight: Float32Array; units: number } {
  const counts = rowsOf(mask).map((row) => row.reduce((sum, x) => sum + x, 0));
  const rules = counts.map((count) => lossWeight(type, count, options.maxTokens));
  return {
    weight: mask.map((x, i) => x * (rules[Math.floor(i / T)]?.token as number)),
    units: rules.reduce((sum, { units }) => sum + units, 0),
  };
}

const ratioInputs = {
  logprobs: given("logprobs"),
  oldLogprobs: given("oldLogprobs"),
};

test("PPO's rewards, advantages, returns and whitening match PyTorch", () => {
  const { ppo, inputs } = fixture;
  const [logprobs, reference, values] = ["oldLogprobs", "referenceLogprobs", "oldValues"].map(
    (name) => rowsOf(given(name)),
  ) as [Float32Array[], Float32Array[], Float32Array[]];
  const rewards = maskRows.map((row, b) =>
    tokenRewards(
      {
        logprobs: logprobs[b] as Float32Array,
        referenceLogprobs: reference[b],
        mask: row,
      },
      inputs.rewards[b],
      options.beta,
    ),
  );
  assertClose(
    "rewards",
    rewards.flatMap((row) => [...row]),
    ppo.tokenRewards,
    1e-6,
  );
  const found = maskRows.map((row, b) =>
    estimateAdvantages(
      { rewards: rewards[b] as Float32Array, values: values[b] as Float32Array, mask: row },
      options.gamma,
      options.lambda,
    ),
  );
  const advantages = found.map((row) => row.advantages);
  assertClose(
    "advantages",
    advantages.flatMap((row) => [...row]),
    ppo.advantages,
    1e-6,
  );
  assertClose(
    "returns",
    found.flatMap((row) => [...row.returns]),
    ppo.returns,
    1e-6,
  );
  whiten(advantages, maskRows);
  assertClose(
    "whitened",
    advantages.flatMap((row) => [...row]),
    ppo.whitened,
    2e-6,
  );
});

test("group advantages match PyTorch; no spread gives exactly zero", () => {
  assertClose(
    "standard",
    perSample((r) => groupAdvantages(r, "standard")),
    fixture.grpo.standard,
    1e-6,
  );
  assertClose(
    "mean",
    perSample((r) => groupAdvantages(r, "mean")),
    fixture.grpo.mean,
    1e-6,
  );
  const loo = perSample((r) => groupAdvantages(r, "leave-one-out"));
  assertClose("leave-one-out", loo, fixture.rloo.advantages, 1e-6);
  for (const baseline of ["mean", "standard", "leave-one-out"] as const) {
    assert.deepEqual(groupAdvantages([0.1, 0.1, 0.1], baseline), [0, 0, 0]);
    assert.deepEqual(groupAdvantages([0.7], baseline), [0]);
  }
});

forEachBackend("PPO: clipped policy loss", (backend) =>
  check(backend, "ppo", {
    inputs: {
      ...ratioInputs,
      advantages: Float32Array.from(fixture.ppo.whitened),
      weight: mask,
    },
    leaf: "logprobs",
    build: (v) => ppoPolicyLoss(v as never, clip),
    units: weightsOf("dapo").units,
    want: fixture.ppo.policy,
    metrics: {
      ratio: fixture.ppo.ratio,
      clipped: fixture.ppo.clipped,
      k1: fixture.ppo.k1,
      k3: fixture.ppo.k3,
    },
  }),
);

forEachBackend("PPO: clipped value loss", (backend) =>
  check(backend, "value", {
    inputs: {
      values: given("values"),
      oldValues: given("oldValues"),
      returns: Float32Array.from(fixture.ppo.returns),
      weight: mask,
    },
    leaf: "values",
    build: (v) => valueLoss(v as never, options.clipValue),
    units: weightsOf("dapo").units,
    want: fixture.ppo.value,
  }),
);

for (const type of ["grpo", "dr_grpo", "dapo"] as const)
  forEachBackend(`GRPO: ${type}`, (backend) => {
    const { weight, units } = weightsOf(type);
    const baseline = type === "dr_grpo" ? "mean" : "standard";
    return check(backend, type, {
      inputs: {
        ...ratioInputs,
        referenceLogprobs: given("referenceLogprobs"),
        advantages: overTokens(perSample((r) => groupAdvantages(r, baseline))),
        weight,
        beta: Float32Array.of(options.beta),
      },
      leaf: "logprobs",
      build: (v) => grpoLoss(v as never, clip),
      units,
      want: fixture.grpo[type],
    });
  });

forEachBackend("RLOO", (backend) =>
  check(backend, "rloo", {
    inputs: {
      ...ratioInputs,
      weight: mask,
      units: new Float32Array(B).fill(1),
      advantages: Float32Array.from(fixture.rloo.advantages),
    },
    leaf: "logprobs",
    build: (v) => rlooLoss({ ...(v as never as object), B, T } as never, clip),
    units: B,
    want: fixture.rloo,
  }),
);

forEachBackend("REINFORCE", (backend) =>
  check(backend, "reinforce", {
    inputs: {
      logprobs: given("logprobs"),
      advantages: overTokens(fixture.grpo.mean),
      weight: mask,
    },
    leaf: "logprobs",
    build: (v) => policyGradientLoss(v as never),
    units: weightsOf("dapo").units,
    want: fixture.reinforce,
  }),
);

forEachBackend("DPO", (backend) =>
  check(backend, "dpo", {
    inputs: {
      logprobs: given("logprobs"),
      weight: mask,
      referenceLogprobs: Float32Array.from(fixture.dpo.referenceSums),
      units: new Float32Array(B).fill(0.5),
    },
    leaf: "logprobs",
    build: (v) => dpoLoss({ ...(v as never as object), B, T } as never, options),
    units: B / 2,
    want: fixture.dpo,
    metrics: { accuracy: fixture.dpo.accuracy, margin: fixture.dpo.margin },
  }),
);
