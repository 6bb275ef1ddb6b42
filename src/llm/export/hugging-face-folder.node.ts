/**
 * A model as the folder that Hugging Face's libraries open: config, weights, tokenizer, what
 * generation ends at, and the chat template. Tensors keep their names and, where the type stays,
 * their bytes. In q8_0 the matrices are whole numbers and scales (quantized-tensor.ts), which only
 * our own loader reads; config.json says so.
 */
import { sizeOf } from "../../compute/shape.ts";
import { QUANT_METHOD, toHfConfig } from "../model/hugging-face-config.ts";
import { type ParameterSpec, parameterSpecs } from "../model/parameters.ts";
import { quantizedBytes, quantizedEntries } from "../model/quantized-tensor.ts";
import { encodeHeader } from "../model/safetensors.ts";
import { readTensorBytes } from "../model/tensor-file.node.ts";
import type { ExportModel } from "./export-model.node.ts";
import { formatBytes, numberFormats } from "./number-format.ts";
import type { WriteFile } from "./output.node.ts";

const dtypes = { f32: "F32", bf16: "BF16", f16: "F16" } as const;
const formatOf = { F32: "f32", BF16: "bf16", F16: "f16" } as const;
const torchTypes = { F32: "float32", BF16: "bfloat16", F16: "float16" } as const;

type WholeType = keyof typeof formatOf;

/** What a safetensors file of ours holds. */
export type FolderFormat = keyof typeof dtypes | "q8_0";

/** As it is stored, where that is a type that other programs read. */
function storedType(model: ExportModel, name: string): WholeType {
  const { dtype } = model.stored(name);
  return dtype === "I8" ? "F32" : dtype;
}

/** Bytes of `model.safetensors` without its header; `format` absent = as stored. */
export function weightBytes(model: ExportModel, format: FolderFormat | undefined): number {
  const sizes = parameterSpecs(model.config).map((spec) =>
    formatBytes(format ?? formatOf[storedType(model, spec.name)], sizeOf(spec.shape)),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** @param format of every tensor; absent: each as it is stored */
export async function writeHuggingFaceFolder(
  model: ExportModel,
  format: FolderFormat | undefined,
  write: WriteFile,
): Promise<void> {
  if (format === "q8_0") {
    const quantized = { quantization_config: { quant_method: QUANT_METHOD } };
    await write("config.json", json({ ...configOf(model, "float32"), ...quantized }));
    await write("model.safetensors", quantizedChunks(model));
  } else await writeWhole(model, format, write);
  for (const [name, text] of Object.entries(await textsOf(model))) await write(name, utf8(text));
}

async function writeWhole(
  model: ExportModel,
  format: keyof typeof dtypes | undefined,
  write: WriteFile,
): Promise<void> {
  const specs = parameterSpecs(model.config);
  const typeOf = ({ name }: ParameterSpec): WholeType =>
    format === undefined ? storedType(model, name) : dtypes[format];
  const tensors = specs.map((spec) => ({ ...spec, dtype: typeOf(spec) }));
  const widest = tensors.find(({ dtype }) => dtype === "F32")?.dtype ?? tensors[0]?.dtype ?? "F32";
  await write("config.json", json(configOf(model, torchTypes[widest])));
  await write("model.safetensors", weightChunks(model, tensors));
}

const utf8 = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];
const json = (value: unknown): Uint8Array[] => utf8(`${JSON.stringify(value, null, 2)}\n`);

function configOf({ config, bosId, endId }: ExportModel, torchType: string): object {
  return {
    ...toHfConfig(config),
    torch_dtype: torchType,
    bos_token_id: bosId ?? null,
    eos_token_id: endId ?? null,
  };
}

async function* weightChunks(
  model: ExportModel,
  tensors: readonly {
    readonly name: string;
    readonly dtype: WholeType;
    readonly shape: readonly number[];
  }[],
): AsyncGenerator<Uint8Array> {
  yield encodeHeader(tensors);
  for (const { name, dtype } of tensors) {
    const stored = model.stored(name);
    // Bytes that stay are copied as they are: a NaN keeps its payload too.
    if (stored.dtype === dtype) yield await readTensorBytes(stored);
    else yield numberFormats[formatOf[dtype]].encode(await model.read(name));
  }
}

/** Matrices as whole numbers and their scales, gains in f32. */
async function* quantizedChunks(model: ExportModel): AsyncGenerator<Uint8Array> {
  const specs = parameterSpecs(model.config);
  const isMatrix = ({ role }: ParameterSpec): boolean => role !== "gain";
  const matrixShape = (spec: ParameterSpec) => spec.shape as [number, number];
  yield encodeHeader(
    specs.flatMap((spec) =>
      isMatrix(spec)
        ? quantizedEntries(spec.name, matrixShape(spec))
        : [{ name: spec.name, dtype: "F32" as const, shape: spec.shape }],
    ),
  );
  for (const spec of specs) {
    const values = await model.read(spec.name);
    if (isMatrix(spec)) yield* quantizedBytes(spec.name, values, matrixShape(spec));
    else yield numberFormats.f32.encode(values);
  }
}

const KEPT = ["tokenizer_config.json", "generation_config.json", "chat_template.jinja", "card.md"];

/** The folder's own texts where it has them; else what follows from the vocabulary. */
async function textsOf(model: ExportModel): Promise<Record<string, string>> {
  const texts: Record<string, string> = { "tokenizer.json": model.tokenizerJson };
  for (const name of KEPT) {
    const text = await model.readText(name);
    if (text !== undefined) texts[name] = text;
  }
  return { ...renderPlainFiles(model), ...texts };
}

/** For a model that completes text: a document begins and ends with one token. */
function renderPlainFiles({
  tokenizer,
  config,
  bosId,
  endId,
}: ExportModel): Record<string, string> {
  const nameOf = (wanted: number | undefined): string | null =>
    [...tokenizer.specialTokens].find(([, id]) => id === wanted)?.[0] ?? null;
  const ids = { bos_token_id: bosId ?? null, eos_token_id: endId ?? null };
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: nameOf(bosId),
    eos_token: nameOf(endId),
    model_max_length: config.sequenceLen,
    clean_up_tokenization_spaces: false,
  };
  const render = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  return {
    "tokenizer_config.json": render(settings),
    "generation_config.json": render(ids),
  };
}
