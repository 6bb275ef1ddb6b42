/**
 * Ops, gradients and AdamW against PyTorch's numbers, on every backend. PyTorch computed in f64
 * from f32 inputs and rounded once, so the f32 tolerances below are our own rounding: a few units
 * of 6e-8 times the square root of the terms in the longest sum.
 */
import assert from "node:assert/strict";
import type { Backend, HostArray } from "../../src/compute/backend.ts";
import { grad } from "../../src/compute/gradients.ts";
import { constant, input, state, type Value } from "../../src/compute/graph.ts";
import { adamw } from "../../src/compute/ops/adamw.ts";
import { attention } from "../../src/compute/ops/attention.ts";
import { sum } from "../../src/compute/ops/broadcast.ts";
import { div, equal, maximum, mul, sub, swiglu } from "../../src/compute/ops/elementwise.ts";
import { embedding } from "../../src/compute/ops/embedding.ts";
import { linearCrossEntropy } from "../../src/compute/ops/linear-cross-entropy.ts";
import { rmsNorm } from "../../src/compute/ops/rms-norm.ts";
import { rope } from "../../src/compute/ops/rope.ts";
import { type Fixture, loadFixture } from "../fixtures/torch/load.ts";
import { assertClose } from "./close.ts";
import { forEachBackend } from "./for-each-backend.ts";

/** Largest error relative to the tensor's largest element. */
const tolerances = {
  attention: 2e-6, // a softmax over 19 keys, then its gradient
  crossEntropy: 2e-6, // logits of 16 terms, 41 classes
  rmsNorm: 2e-6, // means of 24 terms
  rope: 1e-6, // one rotation
  swiglu: 1e-6, // one sigmoid
  embedding: 5e-7, // a copy; its gradient adds at most three rows
  adamw: 2e-6, // five steps, a square root and a division each
};

interface FixtureCase {
  readonly fixture: Fixture;
  /** Float inputs, in the order that `build` takes them. */
  readonly inputs: readonly string[];
  readonly integers?: readonly string[];
  readonly build: (floats: readonly Value[], integers: readonly Value[]) => Value;
  /** Names of the output, and of the gradient that flows into it. */
  readonly y?: string;
  readonly dy?: string;
  readonly tolerance: number;
}

/** Output and the gradient of every float input, for the fixture's upstream gradient. */
async function checkFixture(backend: Backend, c: FixtureCase): Promise<void> {
  const [yName, dyName] = [c.y ?? "y", c.dy ?? "dy"];
  const data: Record<string, HostArray> = {};
  const floats = [...c.inputs, dyName].map((name) => {
    const tensor = c.fixture.floats(name);
    data[name] = tensor.data;
    return input(name, tensor.shape);
  });
  const integers = (c.integers ?? []).map((name) => {
    const tensor = c.fixture.integers(name);
    data[name] = tensor.data;
    return input(name, tensor.shape, "i32");
  });
  const y = c.build(floats.slice(0, -1), integers);
  const gradients = grad(sum(mul(y, floats.at(-1) as Value)), floats.slice(0, -1));
  const named = gradients.map((g, i) => [`d${c.inputs[i]}`, g] as const);
  const outputs: Record<string, Value> = { [yName]: y, ...Object.fromEntries(named) };
  const program = await backend.compile({ outputs }, backend.createStore());
  const results = await program.run(data);
  for (const name of Object.keys(outputs)) {
    const want = c.fixture.floats(name).data;
    assertClose(`${c.fixture.name} ${name}`, results[name] ?? [], want, c.tolerance);
  }
  program.dispose();
}

for (const name of ["attention", "attention-window", "attention-offset"])
  forEachBackend(name, async (backend) => {
    const fixture = loadFixture(name);
    const window = fixture.values.window === null ? {} : { window: fixture.number("window") };
    await checkFixture(backend, {
      fixture,
      inputs: ["q", "k", "v"],
      build: ([q, k, v]) => attention(q as Value, k as Value, v as Value, window),
      tolerance: tolerances.attention,
    });
  });

for (const name of ["cross-entropy", "cross-entropy-ignored"])
  forEachBackend(name, (backend) =>
    checkFixture(backend, {
      fixture: loadFixture(name),
      inputs: ["x", "w"],
      integers: ["targets"],
      build: ([x, w], [targets]) =>
        linearCrossEntropy(x as Value, w as Value, targets as Value, "f32"),
      ...{ y: "nll", dy: "dnll", tolerance: tolerances.crossEntropy },
    }),
  );

forEachBackend("cross-entropy, mean over counted targets", async (backend) => {
  const fixture = loadFixture("cross-entropy");
  const [x, w] = ["x", "w"].map((name) => input(name, fixture.floats(name).shape));
  const targets = input("targets", fixture.integers("targets").shape, "i32");
  const nll = linearCrossEntropy(x as Value, w as Value, targets, "f32");
  const counted = sum(sub(1, equal(targets, -1)));
  const mean = div(sum(nll), maximum(counted, 1));
  const [meanDx, meanDw] = grad(mean, [x as Value, w as Value]);
  const outputs = { mean, meanDx: meanDx as Value, meanDw: meanDw as Value };
  const program = await backend.compile({ outputs }, backend.createStore());
  const data = { x: fixture.floats("x").data, w: fixture.floats("w").data };
  const results = await program.run({ ...data, targets: fixture.integers("targets").data });
  for (const name of Object.keys(outputs))
    assertClose(name, results[name] ?? [], fixture.floats(name).data, tolerances.crossEntropy);
  program.dispose();
});

forEachBackend("rms-norm", (backend) => {
  const fixture = loadFixture("rms-norm");
  return checkFixture(backend, {
    fixture,
    inputs: ["x", "w"],
    build: ([x, w]) => rmsNorm(x as Value, w as Value, fixture.number("eps")),
    tolerance: tolerances.rmsNorm,
  });
});

for (const name of ["rope", "rope-offset"])
  forEachBackend(name, async (backend) => {
    const fixture = loadFixture(name);
    const offset = fixture.number("offset");
    const position = offset === 0 ? undefined : constant(offset, [], "i32");
    await checkFixture(backend, {
      fixture,
      inputs: ["x"],
      build: ([x]) => rope(x as Value, fixture.number("base"), position),
      tolerance: tolerances.rope,
    });
  });

forEachBackend("swiglu", (backend) =>
  checkFixture(backend, {
    fixture: loadFixture("swiglu"),
    inputs: ["g", "u"],
    build: ([g, u]) => swiglu(g as Value, u as Value),
    tolerance: tolerances.swiglu,
  }),
);

forEachBackend("embedding", (backend) =>
  checkFixture(backend, {
    fixture: loadFixture("embedding"),
    inputs: ["w"],
    integers: ["ids"],
    build: ([w], [ids]) => embedding(w as Value, ids as Value),
    tolerance: tolerances.embedding,
  }),
);

forEachBackend("adamw, five steps in place", async (backend) => {
  const fixture = loadFixture("adamw");
  const { shape, data: w0 } = fixture.floats("w0");
  const [beta1 = 0, beta2 = 0] = fixture.numbers("betas");
  const [p, m, v] = ["p", "m", "v"].map((name) => state(name, shape)) as [Value, Value, Value];
  const attrs = { beta1, beta2, eps: fixture.number("eps"), lrScale: 1 };
  const next = adamw(p, input("g", shape), m, v, input("scalars", [5]), {
    ...attrs,
    weightDecay: fixture.number("weightDecay"),
  });
  const updates = [p, m, v].map((s, i) => ({ state: s, value: next[i] as Value }));
  const store = backend.createStore();
  const program = await backend.compile({ outputs: {}, updates }, store);
  await store.write("p", w0);
  const size = w0.length;
  for (let step = 0; step < fixture.number("steps"); step++) {
    const g = fixture.floats("gradients").data.slice(step * size, (step + 1) * size);
    const lr = fixture.numbers("lr")[step] ?? Number.NaN;
    const corrections = [1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)];
    await program.run({ g, scalars: Float32Array.of(lr, 1, ...corrections, 1) });
    const want = fixture.floats("weights").data.slice(step * size, (step + 1) * size);
    assertClose(`weights after step ${step}`, await store.read("p"), want, tolerances.adamw);
  }
  for (const name of ["m", "v"])
    assertClose(name, await store.read(name), fixture.floats(name).data, tolerances.adamw);
  assert.deepEqual(store.names().sort(), ["m", "p", "v"]);
  program.dispose();
});
