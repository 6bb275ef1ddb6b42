/**
 * The weights of an engine: which leaves its graphs read, and a fingerprint that tells them from
 * all others. What the caller's store holds is read once; an engine serves the weights that were
 * there when it was made.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { parameterSpecs } from "../model/parameters.ts";
import { quantizedParameters, quantizeInto } from "../model/quantize.ts";
import type { Parameters, Precision } from "../model/transformer.ts";
import { compileNarrow, inferenceParameters } from "./programs.ts";
import { checksum } from "./snapshot.ts";

/** How matrices are stored: as the precision has them, or quantised. */
export type WeightFormat = Precision | "q8_0" | "q4_0";

/** Puts the weights into the store as the graphs read them. @throws CONFIG, SHAPE, CHECKPOINT */
export async function prepareWeights(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  { precision, weights }: { readonly precision: Precision; readonly weights: WeightFormat },
): Promise<Parameters> {
  if (weights === "q8_0" || weights === "q4_0") {
    await quantizeInto(store, config, weights, (name) => store.read(name));
    return quantizedParameters(config, weights);
  }
  if (weights !== precision)
    throw new NutshellError(
      "CONFIG",
      `engine: weights must be "${precision}", as the precision is, or quantised, got "${weights}".`,
    );
  const narrow = await compileNarrow(backend, store, config, precision);
  await narrow?.run();
  narrow?.dispose();
  return inferenceParameters(config, precision);
}

/** @returns 32 hexadecimal digits, of every weight, the configuration and the format */
export async function fingerprintWeights(
  store: Store,
  config: ModelConfig,
  kind: Readonly<Record<string, string>>,
): Promise<string> {
  const digests: string[] = [];
  for (const { name } of parameterSpecs(config)) {
    const data = await store.read(name);
    digests.push(hex(await checksum(new Uint8Array(data.buffer as ArrayBuffer))));
  }
  const text = JSON.stringify([config, kind, digests]);
  return hex(await checksum(new TextEncoder().encode(text))).slice(0, 32);
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
