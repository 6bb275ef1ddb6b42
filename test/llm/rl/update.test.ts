/** What an update does to the weights of a small model: whom it moves, and whom it must not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend, HostArray, Store } from "../../../src/compute/backend.ts";
import { createReferenceBackend } from "../../../src/compute/backends/reference.ts";
import { createLogprobScorer } from "../../../src/llm/inference/logprobs.ts";
import { initialise, parameterSpecs } from "../../../src/llm/model/parameters.ts";
import type { OptimizerOptions } from "../../../src/llm/optim/train-step.ts";
import { type AlgorithmName, algorithmNames } from "../../../src/llm/rl/algorithm-names.ts";
import { algorithms, policyObjective } from "../../../src/llm/rl/algorithms.ts";
import type { RlConfig } from "../../../src/llm/rl/config.ts";
import { meanKl, type Sample, type SampleGroup } from "../../../src/llm/rl/experience.ts";
import { minibatches } from "../../../src/llm/rl/learn.ts";
import { type Bundle, type LearnRow, withoutSilent } from "../../../src/llm/rl/learn-rows.ts";
import { paddedShapes } from "../../../src/llm/rl/padded-shapes.ts";
import { createPolicyUpdate } from "../../../src/llm/rl/policy-update.ts";
import { defineValueHead } from "../../../src/llm/rl/value-head.ts";
import { assertClose } from "../../compute/close.ts";
import { testC } from "../../compute/for-each-backend.ts";
import { smallConfig, smallRl } from "./small-model.ts";

const T = 8;
/** Plain gradient descent in effect: the first Adam step of tiny gradients would hide their size. */
const optimizer: OptimizerOptions = {
  ...{ precision: "f32", optimizer: "adamw", betas: [0, 0], eps: 1, weightDecay: 0 },
};

/** A sample of fixed tokens; `forced` targets are a tool's. */
function sample(ids: readonly number[], reward: number, forced: readonly number[] = []): Sample {
  const mask = Uint8Array.from(ids.slice(1), (_, t) => (t < 2 || forced.includes(t) ? 0 : 1));
  const logprobs = Float32Array.from(mask, (chosen) => (chosen === 1 ? -5.5 : 0));
  const rollout = { truncated: false } as Sample["rollout"];
  return {
    ...{ ids: Int32Array.from(ids), mask, logprobs, reward, rollout },
    referenceLogprobs: logprobs.map((x) => x),
    values: new Float32Array(mask.length),
  };
}

const groups: readonly SampleGroup[] = [
  [
    sample([1, 2, 3, 4, 5, 6], 1, [3]),
    sample([1, 2, 3, 9, 8, 7, 6, 5], 0),
    sample([1, 2, 3, 7], 0.25),
  ],
  [sample([4, 2, 8, 8, 3], 0, [2]), sample([4, 2, 8, 1, 1, 3], 1), sample([4, 2, 8, 5, 9], 1)],
];

async function newStore(backend: Backend): Promise<Store> {
  const store = backend.createStore();
  await initialise(store, smallConfig, 3);
  defineValueHead(store, smallConfig);
  return store;
}

async function weights(store: Store): Promise<Map<string, HostArray>> {
  const names = parameterSpecs(smallConfig).map(({ name }) => name);
  return new Map(await Promise.all(names.map(async (n) => [n, await store.read(n)] as const)));
}

interface Moved {
  readonly before: ReadonlyMap<string, HostArray>;
  readonly after: ReadonlyMap<string, HostArray>;
  readonly outcome: { loss: number; gradNorm: number; skipped: boolean };
}

/** One update from these bundles with so many rows a batch. */
async function move(
  backend: Backend,
  config: RlConfig,
  bundles: readonly Bundle[],
  B = 8,
): Promise<Moved> {
  const store = await newStore(backend);
  const { rowsTogether, hasKlInput } = algorithms[config.algorithm];
  const shapes = [{ B: Math.max(B, rowsTogether), T }];
  const objective = (shape: { B: number; T: number }) =>
    policyObjective(smallConfig, config, { ...shape, precision: "f32" });
  const update = await createPolicyUpdate(backend, store, objective, optimizer, shapes);
  const before = await weights(store);
  const scalars = hasKlInput?.(config) ? { beta: Float32Array.of(config.kl) } : {};
  const outcome = await update.run(bundles, { lr: 1, t: 1 }, scalars);
  const after = await weights(store);
  await update.dispose();
  store.dispose();
  return { before, after, outcome };
}

const bundlesOf = (config: RlConfig, from = groups): Bundle[] =>
  algorithms[config.algorithm].bundles(from, config, config.kl);

function changed({ before, after }: Moved): number {
  let sum = 0;
  for (const [name, start] of before) {
    const end = after.get(name) as HostArray;
    for (let i = 0; i < start.length; i++)
      sum += Math.abs((end[i] as number) - (start[i] as number));
  }
  return sum;
}

function assertSame(got: Moved, want: Moved, tolerance: number): void {
  for (const [name, start] of want.before) {
    const step = ({ after }: Moved): Float32Array =>
      Float32Array.from(after.get(name) as HostArray, (x, i) => x - (start[i] as number));
    assertClose(name, step(got), step(want), tolerance);
  }
}

for (const algorithm of algorithmNames)
  test(`${algorithm}: batch 1 eight times is batch 8`, async () => {
    const config = smallRl({ algorithm, kl: 0.1 });
    const backend = createReferenceBackend();
    const whole = await move(backend, config, bundlesOf(config), 8);
    const cut = await move(backend, config, bundlesOf(config), 1);
    assert.ok(changed(whole) > 1e-3 && !whole.outcome.skipped);
    assertSame(cut, whole, 2e-5);
    assert.ok(Math.abs(cut.outcome.loss - whole.outcome.loss) < 1e-5);
  });

testC("the C backend takes the same step", async (backend) => {
  const config = smallRl({ algorithm: "ppo", kl: 0.1 });
  const want = await move(createReferenceBackend(), config, bundlesOf(config));
  assertSame(await move(backend, config, bundlesOf(config)), want, 1e-4);
});

test("a row without targets changes nothing: loss 0, step skipped, no NaN", async () => {
  const backend = createReferenceBackend();
  for (const algorithm of algorithmNames) {
    const config = smallRl({ algorithm, kl: 0.1 });
    const empty = bundlesOf(config).map((bundle) => bundle.map(withoutTargets));
    const moved = await move(backend, config, empty);
    assert.equal(changed(moved), 0, algorithm);
    assert.deepEqual(
      [moved.outcome.loss, moved.outcome.gradNorm, moved.outcome.skipped],
      [0, 0, true],
      algorithm,
    );
  }
});

function withoutTargets(row: LearnRow): LearnRow {
  const none = (values: Record<string, number>) =>
    Object.fromEntries(Object.keys(values).map((name) => [name, 0]));
  return { ...row, mask: new Uint8Array(row.mask.length), perRow: none(row.perRow) };
}

test("groups whose samples are rewarded alike give no gradient", async () => {
  const alike = groups.map((group) => group.map((one) => ({ ...one, reward: 1 })));
  for (const algorithm of ["grpo", "rloo", "reinforce", "dpo", "best-of-n"] as const) {
    const config = smallRl({ algorithm, kl: 0 });
    assert.deepEqual(bundlesOf(config, alike), [], algorithm);
  }
  // With KL in the loss and no distance to the reference the gradient is there and zero.
  const config = smallRl({ algorithm: "grpo", kl: 0.5 });
  const own = await onPolicy(alike);
  const moved = await move(createReferenceBackend(), config, bundlesOf(config, own));
  assert.ok(moved.outcome.gradNorm < 1e-6, `${moved.outcome.gradNorm}`);
});

test("some silent samples only weigh in the divisor", async () => {
  const config = smallRl({ algorithm: "grpo", kl: 0, lossType: "dapo" });
  const alike = groups.map((group, g) =>
    g === 0 ? group : group.map((one) => ({ ...one, reward: 1 })),
  );
  const short = bundlesOf(config, alike);
  assert.equal(short.length, 3);
  const units = short.flat().reduce((sum, { perRow }) => sum + (perRow.units as number), 0);
  const all = alike.flat().reduce((sum, { mask }) => sum + mask.reduce((a, b) => a + b, 0), 0);
  assert.ok(Math.abs(units - all) < 1e-9);
});

test("each minibatch has its share of the silent samples", () => {
  const config = smallRl({ algorithm: "grpo", kl: 0, lossType: "dapo", minibatches: 2 });
  const twin = (reward: number): Sample => sample([1, 2, 3, 4, 5], reward);
  const told = [twin(0), twin(1)];
  const alike = [twin(1), twin(1), twin(1), twin(1)];
  const parts = minibatches(bundlesOf(config, [told, alike, told]), config, 0);
  const units = parts.map((part) =>
    part.flat().reduce((sum, { perRow }) => sum + (perRow.units as number), 0),
  );
  // Eight samples of two chosen tokens in all.
  assert.deepEqual(units, [8, 8]);
});

test("an update without its silent samples is the update with them", async () => {
  const backend = createReferenceBackend();
  for (const algorithm of ["grpo", "rloo", "reinforce"] as const) {
    const config = smallRl({ algorithm, kl: 0 });
    const [first, ...rest] = bundlesOf(config) as [Bundle, ...Bundle[]];
    const row = first[0] as LearnRow;
    const quiet = { ...row.perToken, advantages: new Float32Array(row.mask.length) };
    const silent: LearnRow = {
      ...row,
      perToken: "advantages" in row.perToken ? quiet : row.perToken,
      perRow: { ...row.perRow, ...("advantages" in row.perRow && { advantages: 0 }) },
    };
    const all = [first, ...rest, [silent]];
    const heard = withoutSilent(all);
    assert.equal(heard.length, all.length - 1);
    assertSame(await move(backend, config, heard), await move(backend, config, all), 1e-6);
  }
});

test("what a tool wrote gets no gradient, whatever numbers stand there", async () => {
  const backend = createReferenceBackend();
  for (const algorithm of algorithmNames) {
    const config = smallRl({ algorithm, kl: 0.1 });
    const clean = bundlesOf(config);
    const noisy = clean.map((bundle) => bundle.map(withNoiseWhereForced));
    assertSame(await move(backend, config, noisy), await move(backend, config, clean), 0);
  }
});

/** Huge numbers on all targets that the policy did not choose. */
function withNoiseWhereForced(row: LearnRow): LearnRow {
  const noisy = Object.entries(row.perToken).map(([name, values]) => [
    name,
    values.map((x, t) => (row.mask[t] === 1 ? x : 1e3)),
  ]);
  return { ...row, perToken: Object.fromEntries(noisy) };
}

test("at ratio 1 PPO's step is that of the policy gradient", async () => {
  const backend = createReferenceBackend();
  const own = await onPolicy(groups);
  const reinforced = bundlesOf(smallRl({ algorithm: "reinforce" }), own);
  const step = (algorithm: AlgorithmName): Promise<Moved> => {
    const config = smallRl({ algorithm, kl: 0, vf: 0 });
    // Each algorithm's own rows with the advantages of REINFORCE.
    const bundles = bundlesOf(config, own).map(([row], i): Bundle => {
      const advantages = reinforced[i]?.[0]?.perToken.advantages as Float32Array;
      return [{ ...(row as LearnRow), perToken: { ...row?.perToken, advantages } }];
    });
    return move(backend, config, bundles);
  };
  const want = await step("reinforce");
  assertSame(await step("ppo"), want, 1e-5);
  assertSame(await step("grpo"), want, 1e-5);
});

/** The samples with the small model's own log-probabilities, as policy and as reference. */
async function onPolicy(from: readonly SampleGroup[]): Promise<SampleGroup[]> {
  const backend = createReferenceBackend();
  const store = await newStore(backend);
  const options = { B: 4, T, precision: "f32" } as const;
  const scorer = await createLogprobScorer(backend, store, smallConfig, options);
  const scored = await scorer.logprobs(from.flat().map(({ ids }) => ids));
  let next = 0;
  return from.map((group) =>
    group.map((one) => {
      const all = scored[next++] as Float32Array;
      const logprobs = all.map((x, t) => (one.mask[t] === 1 ? x : 0));
      return { ...one, logprobs, referenceLogprobs: all };
    }),
  );
}

test("KL of a policy with itself is 0, by estimate and in the loss", async () => {
  const own = await onPolicy(groups);
  assert.equal(meanKl(own), 0);
  const config = smallRl({ algorithm: "grpo", kl: 1 });
  const flat = own.map((group) => group.map((one) => ({ ...one, reward: 0 })));
  const { outcome } = await move(createReferenceBackend(), config, bundlesOf(config, flat));
  assert.ok(Math.abs(outcome.loss) < 1e-9, `${outcome.loss}`);
});

test("shapes hold every length, and pairs stay together", () => {
  for (const rowsTogether of [1, 2])
    for (const [B, longest] of [
      [1, 24],
      [16, 176],
      [5, 7],
    ] as const) {
      const shapes = paddedShapes(B, longest, rowsTogether);
      assert.equal(shapes.at(-1)?.T, longest);
      for (const shape of shapes) assert.equal(shape.B % rowsTogether, 0);
    }
});
