/** Low-rank updates against the base model, against full gradients and against merged weights. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend, HostArray, Store } from "../../../src/compute/backend.ts";
import { grad } from "../../../src/compute/gradients.ts";
import { type Graph, input, type Value } from "../../../src/compute/graph.ts";
import { fillNormal } from "../../../src/compute/philox.ts";
import {
  initialiseLora,
  type LoraOptions,
  loraParameters,
  loraSpecs,
  mergedGraph,
  parseLoraTargets,
  renderAdapterConfig,
} from "../../../src/llm/model/lora.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { lossSum, modelParameters } from "../../../src/llm/model/transformer.ts";
import { assertClose } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";
import { type LlamaFixture, loadLlamaFixture } from "./llama-fixture.ts";

const lora: LoraOptions = { rank: 3, alpha: 12, targets: ["q", "down"] };
const SCALE = 4;
const prefix = "model.layers.1.mlp.down_proj";
const [A, B] = ["A", "B"].map((part) => `base_model.model.${prefix}.lora_${part}.weight`) as [
  string,
  string,
];

async function openStore(backend: Backend, model: LlamaFixture): Promise<Store> {
  const store = backend.createStore();
  await model.writeWeights(store);
  await initialiseLora(store, model.config, lora, 5);
  return store;
}

/** B as it may be after some steps. */
async function writeB(store: Store, model: LlamaFixture): Promise<void> {
  for (const [i, { name }] of loraSpecs(model.config, lora).entries()) {
    if (!name.includes("lora_B")) continue;
    const data = (await store.read(name)) as Float32Array;
    fillNormal(data, 0.05, 9, i);
    await store.write(name, data);
  }
}

/** The summed loss of the fixture's first batch, and its gradient by the named leaves. */
function lossGraph(
  { config, B, T }: LlamaFixture,
  params: ReadonlyMap<string, Value>,
  names: readonly string[],
): Graph {
  const [tokens, targets] = [input("tokens", [B, T], "i32"), input("targets", [B, T], "i32")];
  const { sum } = lossSum(config, params, tokens, targets, "f32");
  const gradients = grad(
    sum,
    names.map((name) => params.get(name) as Value),
  );
  const named = names.map((name, i) => [name, gradients[i] as Value] as const);
  return { outputs: { sum, ...Object.fromEntries(named) } };
}

async function run(
  backend: Backend,
  store: Store,
  graph: Graph,
  inputs: Record<string, HostArray>,
): Promise<Record<string, HostArray>> {
  const program = await backend.compile(graph, store);
  const out = await program.run(inputs);
  program.dispose();
  return out;
}

/** Plain matrix product of row-major [m, k] and [k, n]; `at` may read either one transposed. */
function product(
  [m, k, n]: readonly [number, number, number],
  a: (i: number, j: number) => number,
  b: (i: number, j: number) => number,
): Float32Array {
  return Float32Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let x = 0; x < k; x++) sum += a(i, x) * b(x, j);
    return sum;
  });
}

forEachBackend("at the start the model is the base model, to the bit", async (backend) => {
  const model = loadLlamaFixture("llama-2layer");
  const store = await openStore(backend, model);
  const batch = { ...model.batch(0) };
  const base = await run(
    backend,
    store,
    lossGraph(model, modelParameters(model.config), []),
    batch,
  );
  const params = loraParameters(model.config, lora);
  const updated = await run(backend, store, lossGraph(model, params, []), batch);
  assert.equal(updated.sum?.[0], base.sum?.[0]);
  const merged = await run(backend, store, mergedGraph(model.config, lora), {});
  for (const [name, weights] of Object.entries(merged)) {
    const base = await store.read(name);
    assert.ok(
      base.every((x, at) => x === weights[at]),
      name,
    );
  }
  assert.ok((await store.read(A)).some((x) => x !== 0));
});

forEachBackend(
  "at the start dB = scale · dW · Aᵀ with PyTorch's dW, and dA = 0",
  async (backend) => {
    const model = loadLlamaFixture("llama-2layer");
    const store = await openStore(backend, model);
    const params = loraParameters(model.config, lora);
    const got = await run(backend, store, lossGraph(model, params, [A, B]), { ...model.batch(0) });
    assert.ok((got[A] as Float32Array).every((x) => x === 0));
    const dW = model.fixture.floats(`gradient:${prefix}.weight`).data;
    const a = await store.read(A);
    const { nEmbd: out, nFfn: inner } = model.config;
    const mean = product(
      [out, inner, lora.rank],
      (i, x) => SCALE * (dW[i * inner + x] as number),
      (x, j) => a[j * inner + x] as number,
    );
    const targets = model.batch(0).targets.filter((target) => target >= 0).length;
    assertClose(
      "dB",
      got[B] as Float32Array,
      mean.map((x) => x * targets),
      1e-4,
    );
  },
);

forEachBackend("gradients are those of the full matrix, through the product", async (backend) => {
  const model = loadLlamaFixture("llama-2layer-qk-norm");
  const store = await openStore(backend, model);
  await writeB(store, model);
  const batch = { ...model.batch(1) };
  const params = loraParameters(model.config, lora);
  const got = await run(backend, store, lossGraph(model, params, [A, B]), batch);
  const merged = await mergedStore(backend, store, model);
  const full = modelParameters(model.config);
  const want = await run(backend, merged, lossGraph(model, full, [`${prefix}.weight`]), batch);
  const dW = want[`${prefix}.weight`] as Float32Array;
  const [a, b] = [await store.read(A), await store.read(B)];
  const { nEmbd: out, nFfn: inner } = model.config;
  const { rank } = lora;
  const dA = product(
    [rank, out, inner],
    (i, x) => SCALE * (b[x * rank + i] as number),
    (x, j) => dW[x * inner + j] as number,
  );
  const dB = product(
    [out, inner, rank],
    (i, x) => SCALE * (dW[i * inner + x] as number),
    (x, j) => a[j * inner + x] as number,
  );
  assertClose("dA", got[A] as Float32Array, dA, 1e-4);
  assertClose("dB", got[B] as Float32Array, dB, 1e-4);
  // Merged weights give the same loss, and it is not that of the base model.
  const [updated, plain] = [got.sum?.[0] as number, want.sum?.[0] as number];
  assert.ok(Math.abs(updated / plain - 1) < 1e-6, `${updated} and ${plain}`);
  const base = await run(backend, store, lossGraph(model, full, []), batch);
  assert.ok(Math.abs((base.sum?.[0] as number) / plain - 1) > 1e-4);
});

async function mergedStore(backend: Backend, store: Store, model: LlamaFixture): Promise<Store> {
  const merged = await run(backend, store, mergedGraph(model.config, lora), {});
  const to = backend.createStore();
  for (const { name, shape } of parameterSpecs(model.config)) {
    to.define(name, { shape, dtype: "f32" });
    await to.write(name, merged[name] ?? (await store.read(name)));
  }
  return to;
}

test("names, shapes and settings are those of PEFT", () => {
  const { config } = loadLlamaFixture("llama-2layer");
  const specs = loraSpecs(config, lora);
  assert.deepEqual(
    specs.slice(0, 2).map(({ name }) => name),
    ["A", "B"].map((x) => `base_model.model.model.layers.0.self_attn.q_proj.lora_${x}.weight`),
  );
  assert.deepEqual(
    specs.slice(2, 4).map(({ shape }) => shape),
    [
      [3, config.nFfn],
      [config.nEmbd, 3],
    ],
  );
  assert.equal(specs.length, 2 * 2 * config.nLayer);
  const settings = JSON.parse(renderAdapterConfig(lora, "runs/out/tiny"));
  assert.equal(settings.peft_type, "LORA");
  assert.equal(settings.lora_alpha / settings.r, SCALE);
  assert.deepEqual(settings.target_modules, ["q_proj", "down_proj"]);
  assert.equal(settings.base_model_name_or_path, "runs/out/tiny");
});

test("targets are named, or refused in one line", () => {
  assert.deepEqual(parseLoraTargets("q, v,q"), ["q", "v"]);
  for (const text of ["q,head", "", "q,"])
    assert.throws(() => parseLoraTargets(text), {
      code: "CONFIG",
      message: /targets must be of q, /,
    });
});
