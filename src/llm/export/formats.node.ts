/** Every format that a model is exported to: which weights it may hold, and what is written. */
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { NutshellError } from "../../error.ts";
import { type CFormat, cWeights } from "./c-weights.ts";
import type { ExportModel } from "./export-model.node.ts";
import { ggufFile } from "./gguf-file.ts";
import {
  type FolderFormat,
  weightBytes,
  writeHuggingFaceFolder,
} from "./hugging-face-folder.node.ts";
import { type NumberFormat, numberFormats } from "./number-format.ts";
import { type OnnxFormat, onnxFile } from "./onnx-file.ts";
import { type OutputOptions, writeOutputFile, writeOutputFolder } from "./output.node.ts";
import { withWholeBlocks } from "./whole-blocks.ts";

export type ExportTarget = "safetensors" | "gguf" | "onnx" | "c";

export interface ExportRequest {
  readonly to: ExportTarget;
  /** Of the weights; absent = f32, for safetensors as they are stored. */
  readonly format: NumberFormat | undefined;
  /** onnx: with keys and values of the past as inputs and outputs. */
  readonly cache: boolean;
}

/** What is about to be written: nothing is until `write`. */
interface PreparedExport {
  /** About, for progress. */
  readonly bytes: number;
  /** What the reader of the format should know, one line each. */
  readonly notes: readonly string[];
  write(path: string, options: OutputOptions): Promise<void>;
}

interface Format {
  readonly formats: readonly NumberFormat[];
  /** Whether a folder is written, else a file. */
  readonly folder: boolean;
  prepare(model: ExportModel, request: ExportRequest): PreparedExport;
}

const formats: Readonly<Record<ExportTarget, Format>> = {
  safetensors: { formats: ["f32", "bf16", "f16", "q8_0"], folder: true, prepare: prepareFolder },
  gguf: { formats: ["f32", "bf16", "f16", "q8_0", "q4_0"], folder: false, prepare: prepareGguf },
  onnx: { formats: ["f32", "bf16", "f16"], folder: false, prepare: prepareOnnx },
  c: { formats: ["f32", "bf16", "q8_0"], folder: true, prepare: prepareC },
};

export const exportTargets: readonly ExportTarget[] = Object.keys(formats) as ExportTarget[];

/** @throws UNSUPPORTED when the format cannot hold this model or such weights */
export function prepareExport(model: ExportModel, request: ExportRequest): PreparedExport {
  const { to, format, cache } = request;
  const row = formats[to];
  if (format !== undefined && !row.formats.includes(format))
    throw unsupported(`--type of ${to} must be one of ${row.formats.join(", ")}`, format);
  if (cache && to !== "onnx") throw unsupported("--kv-cache belongs to --to onnx", `--to ${to}`);
  const inBlocks = format !== undefined && numberFormats[format].block > 1;
  return row.prepare(inBlocks ? withWholeBlocks(model) : model, request);
}

function unsupported(rule: string, got: string): NutshellError {
  return new NutshellError("UNSUPPORTED", `export: ${rule}, got ${got}. Choose another.`);
}

function prepareFolder(model: ExportModel, { format }: ExportRequest): PreparedExport {
  const stored = format as FolderFormat | undefined;
  return {
    bytes: weightBytes(model, stored),
    notes: [],
    write: (path, options) =>
      writeOutputFolder(path, (write) => writeHuggingFaceFolder(model, stored, write), options),
  };
}

/** The run's name, where the folder is one of its steps. */
function nameOf(folder: string): string {
  const name = basename(folder);
  return name.startsWith("step-") ? basename(dirname(folder)) : name;
}

function prepareGguf(model: ExportModel, { format = "f32" }: ExportRequest): PreparedExport {
  const { bytes, differs, chunks } = ggufFile(model, format, nameOf(model.folder));
  return {
    bytes,
    notes: differs === undefined ? [] : [differs],
    write: async (path, options) => {
      await writeOutputFile(path, chunks(), options);
    },
  };
}

function prepareOnnx(model: ExportModel, { format = "f32", cache }: ExportRequest): PreparedExport {
  const { bytes, chunks } = onnxFile(model, { format: format as OnnxFormat, cache });
  return {
    bytes,
    notes: [],
    write: async (path, options) => {
      await writeOutputFile(path, chunks(), options);
    },
  };
}

const NOT_NORMAL =
  "model.c takes text as it is; this tokenizer brings it into Unicode's form NFC first";

function normalises({ tokenizer }: ExportModel): boolean {
  return "vocabulary" in tokenizer && tokenizer.vocabulary.normalForm !== undefined;
}

function prepareC(model: ExportModel, { format = "f32" }: ExportRequest): PreparedExport {
  const { bytes, chunks } = cWeights(model, format as CFormat);
  return {
    bytes,
    notes: [
      'cc -O3 -march=native -o run model.c -lm && ./run weights.bin "prompt"',
      ...(normalises(model) ? [NOT_NORMAL] : []),
    ],
    write: (path, options) =>
      writeOutputFolder(
        path,
        async (write) => {
          await write("model.c", [await readFile(new URL("model.c", import.meta.url))]);
          await write("weights.bin", chunks());
        },
        options,
      ),
  };
}
