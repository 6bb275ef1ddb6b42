/**
 * Safetensors on disk: written one tensor at a time straight from a store, and read the same way,
 * from one `model.safetensors` or from the shards that `model.safetensors.index.json` lists.
 */
import { open } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Store } from "../../compute/backend.ts";
import { sameShape } from "../../compute/shape.ts";
import { tryReadText } from "../../durable-file.node.ts";
import { checkpointError, parseJson } from "./manifest.node.ts";
import { applyScales, quantizedBytes, quantizedEntries, SCALES } from "./quantized-tensor.ts";
import {
  decodeTensor,
  encodeHeader,
  encodeTensor,
  headerLength,
  LENGTH_BYTES,
  type PlacedTensor,
  parseHeader,
  type StoredTensor,
} from "./safetensors.ts";

const FIX_DOWNLOAD = "Copy the whole model folder again.";

/** How weights are kept: Q8_0 is for matrices, the rest is then F32. */
export type WeightStorage = "F32" | "BF16" | "Q8_0";

/** The bytes of a file that holds these states of a store, in this order. */
export async function* tensorFileChunks(
  store: Store,
  names: readonly string[],
  storage: WeightStorage,
): AsyncGenerator<Uint8Array> {
  const dtype = storage === "Q8_0" ? "F32" : storage;
  const entries = names.map((name) => {
    const { shape } = store.type(name);
    const [rows = 0, columns = 0] = shape;
    const isQuantised = storage === "Q8_0" && shape.length === 2;
    return isQuantised ? quantizedEntries(name, [rows, columns]) : [{ name, dtype, shape }];
  });
  yield encodeHeader(entries.flat());
  for (const [first, scales] of entries as [StoredTensor, StoredTensor?][]) {
    const values = (await store.read(first.name)) as Float32Array;
    if (scales === undefined) yield encodeTensor(values, dtype);
    else yield* quantizedBytes(first.name, values, first.shape as [number, number]);
  }
}

export interface FoundTensor extends PlacedTensor {
  readonly path: string;
  /** Of whole numbers: what they are multiplied with. */
  readonly scales?: FoundTensor;
}

/** @throws CHECKPOINT when the file is no sound safetensors file */
export async function readTensorIndex(path: string): Promise<FoundTensor[]> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined)
    throw checkpointError(path, "file must exist and be readable, got none", FIX_DOWNLOAD);
  try {
    const { size } = await file.stat();
    const read = async (at: number, bytes: number): Promise<Uint8Array> => {
      const { buffer, bytesRead } = await file.read(new Uint8Array(bytes), 0, bytes, at);
      return buffer.subarray(0, bytesRead);
    };
    const length = headerLength(await read(0, LENGTH_BYTES), size, path);
    const tensors = parseHeader(await read(LENGTH_BYTES, length), size, path);
    return tensors.map((tensor) => ({ ...tensor, path }));
  } finally {
    await file.close();
  }
}

/** Every tensor of a model folder by name. @throws CHECKPOINT for missing or unsound files */
export async function findTensors(folder: string): Promise<Map<string, FoundTensor>> {
  const indexPath = join(folder, "model.safetensors.index.json");
  const text = await tryReadText(indexPath);
  const found =
    text === undefined
      ? await readTensorIndex(join(folder, "model.safetensors"))
      : await readShards(folder, indexPath, text);
  return joinScales(new Map(found.map((tensor) => [tensor.name, tensor])));
}

/** Scales go with their numbers. @throws CHECKPOINT when one is without the other */
function joinScales(found: ReadonlyMap<string, FoundTensor>): Map<string, FoundTensor> {
  const joined = new Map<string, FoundTensor>();
  for (const [name, tensor] of found) {
    if (name.endsWith(SCALES) && found.get(name.slice(0, -SCALES.length))?.dtype === "I8") continue;
    joined.set(name, tensor.dtype === "I8" ? withScales(tensor, found.get(name + SCALES)) : tensor);
  }
  return joined;
}

function withScales(tensor: FoundTensor, scales: FoundTensor | undefined): FoundTensor {
  const [, needed] = quantizedEntries(tensor.name, tensor.shape as [number, number]);
  if (scales?.dtype === needed?.dtype && sameShape(scales?.shape ?? [], needed?.shape ?? []))
    return { ...tensor, ...(scales === undefined ? {} : { scales }) };
  const got = scales === undefined ? "none" : `${scales.dtype} [${scales.shape}]`;
  throw checkpointError(
    tensor.path,
    `${tensor.name} must have scales F16 [${needed?.shape}], got ${got}`,
  );
}

async function readShards(folder: string, path: string, text: string): Promise<FoundTensor[]> {
  const index = parseJson(path, text) as { weight_map?: Record<string, unknown> } | null;
  const places = Object.entries(index?.weight_map ?? {});
  if (places.length === 0) throw checkpointError(path, "weight_map must list tensors, got none");
  const shards = [...new Set(places.map(([, file]) => String(file)))];
  const outside = shards.find((file) => basename(file) !== file || file.startsWith("."));
  if (outside !== undefined)
    throw checkpointError(path, `shards must lie in the folder, got ${JSON.stringify(outside)}`);
  const lists = await Promise.all(shards.map((file) => readTensorIndex(join(folder, file))));
  const byPlace = new Map(lists.flat().map((tensor) => [`${tensor.path}:${tensor.name}`, tensor]));
  return places.map(([name, file]) => {
    const tensor = byPlace.get(`${join(folder, String(file))}:${name}`);
    if (tensor === undefined)
      throw checkpointError(join(folder, String(file)), `must hold ${name}, got no such tensor`);
    return tensor;
  });
}

/** @returns the tensor's values as f32  @throws CHECKPOINT when the file has shrunk meanwhile */
export async function readTensor(tensor: FoundTensor): Promise<Float32Array> {
  const values = decodeTensor(await readTensorBytes(tensor), tensor.dtype);
  const { scales } = tensor;
  return scales === undefined ? values : applyScales(values, await readTensor(scales));
}

/** @returns the bytes as they are stored  @throws CHECKPOINT when the file has shrunk meanwhile */
export async function readTensorBytes(tensor: FoundTensor): Promise<Uint8Array> {
  const { path, name, offset, bytes } = tensor;
  const file = await open(path, "r");
  try {
    const buffer = new Uint8Array(bytes);
    for (let at = 0; at < bytes; ) {
      const length = Math.min(bytes - at, 1 << 30);
      const { bytesRead } = await file.read(buffer, at, length, offset + at);
      if (bytesRead === 0)
        throw checkpointError(path, `${name} must have ${bytes} bytes, got ${at}`);
      at += bytesRead;
    }
    return buffer;
  } finally {
    await file.close();
  }
}
