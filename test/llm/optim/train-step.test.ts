/** The training graphs against PyTorch, against themselves when accumulated, and under masks. */
import assert from "node:assert/strict";
import type { Backend, HostArray, Program, Store } from "../../../src/compute/backend.ts";
import { grad } from "../../../src/compute/gradients.ts";
import { input } from "../../../src/compute/graph.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { lossSum, modelParameters } from "../../../src/llm/model/transformer.ts";
import { stepScalars } from "../../../src/llm/optim/adamw.ts";
import {
  type BatchShape,
  languageModelling,
  type Objective,
} from "../../../src/llm/optim/objective.ts";
import {
  optimizerState,
  type TrainGraphOptions,
  trainGraph,
} from "../../../src/llm/optim/train-step.ts";
import { assertClose } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";
import { FIXTURES, type LlamaFixture, loadLlamaFixture } from "../model/llama-fixture.ts";

const BETAS = [0.9, 0.95] as const;
const ANY_NORM = Float32Array.of(Number.POSITIVE_INFINITY);

function optionsOf(
  { fixture }: LlamaFixture,
  changes: Partial<TrainGraphOptions> = {},
): TrainGraphOptions {
  return {
    precision: "f32",
    optimizer: "adamw",
    betas: BETAS,
    eps: fixture.number("eps"),
    weightDecay: fixture.number("weightDecay"),
    clip: fixture.number("clip"),
    accumulate: "none",
    ...changes,
  };
}

function objectiveOf({ config, B, T }: LlamaFixture, changes: Partial<BatchShape> = {}): Objective {
  return languageModelling(config, { B, T, precision: "f32", ...changes });
}

async function storeOf(backend: Backend, model: LlamaFixture): Promise<Store> {
  const store = backend.createStore();
  await model.writeWeights(store);
  return store;
}

async function snapshot(store: Store): Promise<Map<string, HostArray>> {
  const entries = store.names().map(async (name) => [name, await store.read(name)] as const);
  return new Map(await Promise.all(entries));
}

const updateInputs = (lr: number, t: number, maxNorm = ANY_NORM): Record<string, HostArray> => ({
  scalars: stepScalars(lr, t, BETAS),
  maxNorm,
});

const scalar = (outputs: Record<string, HostArray>, name: string): number =>
  (outputs[name] as HostArray)[0] as number;

for (const name of FIXTURES) {
  forEachBackend(`${name}: ten AdamW steps match PyTorch`, async (backend) => {
    const model = loadLlamaFixture(name);
    const store = await storeOf(backend, model);
    const program = await backend.compile(trainGraph(objectiveOf(model), optionsOf(model)), store);
    const rates = model.fixture.numbers("lr");
    for (const [step, lr] of rates.entries()) {
      const out = await program.run({ ...model.batch(step), ...updateInputs(lr, step + 1) });
      const loss = model.fixture.numbers("lossesF64")[step] as number;
      const norm = model.fixture.numbers("gradNormsF64")[step] as number;
      assert.ok(Math.abs(scalar(out, "loss") / loss - 1) < 1e-4, `step ${step}: loss`);
      assert.ok(Math.abs(scalar(out, "gradNorm") / norm - 1) < 1e-4, `step ${step}: norm`);
      assert.equal(scalar(out, "skipped"), 0);
    }
    const last = model.fixture.floats("last:model.norm.weight").data;
    assertClose("gain", await store.read("model.norm.weight"), last, 1e-4);
    store.dispose();
  });

  forEachBackend(`${name}: gradients match PyTorch`, async (backend) => {
    const model = loadLlamaFixture(name);
    const store = await storeOf(backend, model);
    const params = modelParameters(model.config);
    const shape = [model.B, model.T];
    const [tokens, targets] = [input("tokens", shape, "i32"), input("targets", shape, "i32")];
    const { sum, count } = lossSum(model.config, params, tokens, targets, "f32");
    const gradients = grad(sum, [...params.values()]);
    const outputs = Object.fromEntries([...params.keys()].map((key, i) => [key, gradients[i]]));
    const graph = { outputs: { ...outputs, count } as Record<string, typeof count> };
    const program = await backend.compile(graph, store);
    const out = await program.run({ ...model.batch(0) });
    const n = scalar(out, "count");
    for (const spec of parameterSpecs(model.config)) {
      const expected = model.fixture.floats(`gradient:${spec.name}`).data;
      const actual = (out[spec.name] as Float32Array).map((x) => x / n);
      assertClose(spec.name, actual, expected, 2e-5);
    }
    store.dispose();
  });
}

/** Rows `from` … `to` of a batch. */
function rows(model: LlamaFixture, step: number, from: number, to: number) {
  const { tokens, targets } = model.batch(step);
  const cut = (ids: Int32Array): Int32Array => ids.slice(from * model.T, to * model.T);
  return { tokens: cut(tokens), targets: cut(targets) };
}

for (const optimizer of ["adamw", "muon"] as const) {
  const extra: Record<string, HostArray> =
    optimizer === "muon" ? { momentum: Float32Array.of(0.95) } : {};

  forEachBackend(`${optimizer}: batch 1 accumulated 3 times is batch 3`, async (backend) => {
    const model = loadLlamaFixture("llama-2layer");
    const [whole, cut] = [await storeOf(backend, model), await storeOf(backend, model)];
    const compile = (
      store: Store,
      accumulate: TrainGraphOptions["accumulate"],
      B = model.B,
    ): Promise<Program> =>
      backend.compile(
        trainGraph(objectiveOf(model, { B }), optionsOf(model, { optimizer, accumulate })),
        store,
      );
    const fused = await compile(whole, "none");
    const micro = await compile(cut, "micro", 1);
    const applied = await compile(cut, "apply");
    for (let step = 0; step < 2; step++) {
      const inputs = { ...updateInputs(1e-3, step + 1), ...extra };
      const one = await fused.run({ ...model.batch(step), ...inputs });
      for (let row = 0; row < 3; row++) await micro.run(rows(model, step, row, row + 1));
      const sum = await applied.run(inputs);
      for (const key of ["loss", "gradNorm"])
        assert.ok(Math.abs(scalar(sum, key) / scalar(one, key) - 1) < 1e-5, `${step} ${key}`);
    }
    for (const { name } of parameterSpecs(model.config)) {
      assertClose(name, await cut.read(name), await whole.read(name), 1e-4);
      assert.ok(
        (await cut.read(`grad.${name}`)).every((x) => x === 0),
        `${name} not zeroed`,
      );
    }
    assert.equal((await cut.read("grad.count"))[0], 0);
  });

  forEachBackend(`${optimizer}: a skipped step changes nothing`, async (backend) => {
    const model = loadLlamaFixture("llama-2layer-qk-norm");
    const store = await storeOf(backend, model);
    const graph = trainGraph(objectiveOf(model), optionsOf(model, { optimizer }));
    const program = await backend.compile(graph, store);
    await program.run({ ...model.batch(0), ...updateInputs(1e-3, 1), ...extra });
    const names = optimizerState(parameterSpecs(model.config), optimizer).map(({ name }) => name);
    assert.deepEqual(new Set(store.names()), new Set([...names, ...modelNames(model)]));
    const assertSkipped = async (why: string, inputs: Record<string, HostArray>) => {
      const before = await snapshot(store);
      const out = await program.run({ ...inputs, ...extra });
      assert.equal(scalar(out, "skipped"), 1, why);
      assert.deepEqual(await snapshot(store), before, why);
      return { loss: scalar(out, "loss"), gradNorm: scalar(out, "gradNorm") };
    };
    const { tokens, targets } = model.batch(1);
    const limit = Float32Array.of(0.5);
    const masked = { tokens, targets: new Int32Array(targets.length).fill(-1) };
    const none = await assertSkipped("no target", { ...masked, ...updateInputs(1e-3, 2) });
    assert.deepEqual(none, { loss: 0, gradNorm: 0 });
    const batch = { tokens, targets };
    const high = await assertSkipped("maxNorm", { ...batch, ...updateInputs(1e-3, 2, limit) });
    assert.ok(high.gradNorm > 0.5 && Number.isFinite(high.gradNorm));
    const broken = "model.layers.1.mlp.up_proj.weight";
    const weights = (await store.read(broken)) as Float32Array;
    await store.write(broken, weights.with(7, Number.NaN));
    const wild = await assertSkipped("NaN", { ...batch, ...updateInputs(1e-3, 2) });
    assert.ok(Number.isNaN(wild.gradNorm));
  });

  forEachBackend(`${optimizer}: bf16 learns one batch by heart`, async (backend) => {
    const model = loadLlamaFixture("llama-2layer");
    const store = await storeOf(backend, model);
    const options = optionsOf(model, { optimizer, precision: "bf16", muonWeightDecay: 0 });
    const objective = objectiveOf(model, { precision: "bf16" });
    const program = await backend.compile(trainGraph(objective, options), store);
    const losses: number[] = [];
    for (let t = 1; t <= 4; t++) {
      const out = await program.run({ ...model.batch(0), ...updateInputs(1e-2, t), ...extra });
      losses.push(scalar(out, "loss"));
    }
    const first = model.fixture.numbers("lossesF64")[0] as number;
    assert.ok(Math.abs((losses[0] as number) / first - 1) < 1e-2, "bf16 rounds, no more");
    assert.ok((losses[3] as number) < (losses[0] as number) - 0.5, `${losses}`);
  });
}

const modelNames = (model: LlamaFixture): string[] =>
  parameterSpecs(model.config).map(({ name }) => name);
