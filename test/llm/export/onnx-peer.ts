/** ONNX Runtime on the CPU, where `npm run peers` has put it. */
import { findPeer } from "./llama-peer.ts";

interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

type Tensors = Record<string, Tensor>;

interface Runtime {
  readonly InferenceSession: {
    create(
      path: string,
      options: object,
    ): Promise<{
      readonly inputNames: readonly string[];
      run(inputs: Tensors): Promise<Tensors>;
    }>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => Tensor;
}

export interface OnnxPeer {
  /** f32 [B · T, V] of rows of equal length. */
  logits(rows: readonly (readonly number[])[]): Promise<Float32Array>;
  /** The same of one row, fed in pieces through the cache's inputs and outputs. */
  cachedLogits(ids: readonly number[], pieces: readonly number[]): Promise<Float32Array>;
}

/** @returns undefined when it is not installed */
export async function openOnnx(
  path: string,
  cache: { readonly heads: number; readonly headDim: number },
): Promise<OnnxPeer | undefined> {
  const entry = findPeer("onnxruntime-node/dist/index.js");
  if (entry === undefined) return undefined;
  const loaded = (await import(entry)) as { readonly default: Runtime };
  const { InferenceSession, Tensor } = loaded.default;
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const idsTensor = (rows: readonly (readonly number[])[]): Tensor =>
    new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [
      rows.length,
      rows[0]?.length ?? 0,
    ]);
  const empty = new Tensor("float32", new Float32Array(0), [1, cache.heads, 0, cache.headDim]);
  return {
    async logits(rows) {
      return (await session.run({ input_ids: idsTensor(rows) })).logits?.data ?? new Float32Array();
    },
    async cachedLogits(ids, pieces) {
      const parts: Float32Array[] = [];
      const names = session.inputNames.filter((name) => name.startsWith("past_key_values."));
      let past: Tensors = Object.fromEntries(names.map((name) => [name, empty]));
      let from = 0;
      for (const size of pieces) {
        const input_ids = idsTensor([ids.slice(from, from + size)]);
        const results = await session.run({ input_ids, ...past });
        parts.push(results.logits?.data ?? new Float32Array());
        const present = (name: string): Tensor =>
          results[name.replace("past_key_values", "present")] as Tensor;
        past = Object.fromEntries(names.map((name) => [name, present(name)]));
        from += size;
      }
      const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
  };
}
