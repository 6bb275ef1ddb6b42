/** Muon's graph against the same rule in PyTorch, and orthogonality of what it steps along. */
import assert from "node:assert/strict";
import { input, state } from "../../../src/compute/graph.ts";
import { muonUpdates, orthogonalize } from "../../../src/llm/optim/muon.ts";
import { assertWithin } from "../../compute/close.ts";
import { forEachBackend } from "../../compute/for-each-backend.ts";
import { loadFixture } from "../../fixtures/torch/load.ts";

for (const kind of ["tall", "wide", "square"]) {
  forEachBackend(`muon: five steps of a ${kind} matrix match PyTorch`, async (backend) => {
    const fixture = loadFixture("muon");
    const { shape, data: initial } = fixture.floats(`${kind}:w0`);
    const size = initial.length;
    const store = backend.createStore();
    store.define("w", { shape, dtype: "f32" });
    await store.write("w", initial);
    const spec = { name: "w", shape, role: "matrix", init: { kind: "ones" } } as const;
    const step = {
      lr: input("lr", []),
      momentum: input("momentum", []),
      gradScale: input("gradScale", []),
      apply: input("apply", []),
    };
    const options = { weightDecay: 0.1, lrScale: 2, precision: "f32" } as const;
    const updates = muonUpdates(spec, state("w", shape), input("g", shape), step, options);
    const program = await backend.compile({ outputs: {}, updates }, store);
    const gradients = fixture.floats(`${kind}:gradients`).data;
    const weights = fixture.floats(`${kind}:weights`).data;
    const scalars = { momentum: Float32Array.of(0.95), gradScale: Float32Array.of(0.5) };
    const lr = Float32Array.of(fixture.number("lr") / 2);
    for (let t = 0; t < fixture.number("steps"); t++) {
      const g = gradients.slice(t * size, (t + 1) * size).map((x) => 2 * x);
      await program.run({ g, lr, ...scalars, apply: Float32Array.of(1) });
      const expected = weights.slice(t * size, (t + 1) * size);
      assertWithin(`step ${t}`, await store.read("w"), expected, 2e-5);
    }
    const momentum = await store.read("muon.momentum.w");
    assertWithin("momentum", momentum, fixture.floats(`${kind}:buf`).data, 1e-7);
  });
}

forEachBackend("muon: the update has singular values near one, also in bf16", async (backend) => {
  const fixture = loadFixture("muon");
  const { shape, data } = fixture.floats("wide:w0");
  const [rows, columns] = shape as [number, number];
  const u = input("u", shape);
  const outputs = { f32: orthogonalize(u, "f32"), bf16: orthogonalize(u, "bf16") };
  const program = await backend.compile({ outputs }, backend.createStore());
  for (const x of Object.values(await program.run({ u: data })))
    for (let i = 0; i < rows; i++) {
      const row = x.slice(i * columns, (i + 1) * columns);
      const norm = Math.hypot(...row);
      assert.ok(norm > 0.7 && norm < 1.3, `row ${i}: ${norm}`);
    }
});
