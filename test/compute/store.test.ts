/** Parts of stored tensors: what is read and written is what the whole tensor shows. */
import assert from "node:assert/strict";
import type { DType } from "../../src/compute/graph.ts";
import { forEachBackend } from "./for-each-backend.ts";

for (const dtype of ["f32", "bf16", "i32"] as const satisfies readonly DType[])
  forEachBackend(`parts of a tensor are read and written (${dtype})`, async (backend) => {
    const store = backend.createStore();
    store.define("x", { shape: [4, 3], dtype });
    const numbers = dtype === "i32" ? Int32Array : Float32Array;
    await store.write("x", numbers.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
    await store.write("x", numbers.of(40, 50), 4);
    assert.deepEqual(await store.read("x", { at: 3, count: 4 }), numbers.of(3, 40, 50, 6));
    assert.deepEqual([...(await store.read("x"))], [0, 1, 2, 3, 40, 50, 6, 7, 8, 9, 10, 11]);
    const bytes = await store.readBytes("x", { at: 3, count: 4 });
    assert.equal(bytes.length, dtype === "bf16" ? 8 : 16);
    await store.writeBytes("x", bytes, 8);
    assert.deepEqual([...(await store.read("x"))].slice(7), [7, 3, 40, 50, 6]);
    await store.writeBytes("x", await store.readBytes("x"));
    assert.deepEqual([...(await store.read("x"))].slice(7), [7, 3, 40, 50, 6]);
    await assert.rejects(store.writeBytes("x", bytes), { code: "SHAPE" });
    await assert.rejects(store.writeBytes("x", bytes, 9), { code: "SHAPE" });
    const message = /must lie in its 12 elements, got 2 from 11 on/;
    await assert.rejects(store.read("x", { at: 11, count: 2 }), { code: "SHAPE", message });
    await assert.rejects(store.write("x", numbers.of(1, 2), 11), { code: "SHAPE", message });
    store.dispose();
  });
