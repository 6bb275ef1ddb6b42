/** `nutshell export`: a model in the formats of other programs. */
import { NutshellError } from "../../error.ts";
import { openExportModel } from "../../llm/export/export-model.node.ts";
import { type ExportTarget, exportTargets, prepareExport } from "../../llm/export/formats.node.ts";
import type { NumberFormat } from "../../llm/export/number-format.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { formatCount } from "../format.ts";
import { Progress } from "../progress.ts";

const EXAMPLE = "nutshell export --model runs/out/tiny/1-pretrain --to gguf --out tiny.gguf";

interface ExportValues {
  model: string | undefined;
  to: ExportTarget;
  out: string | undefined;
  type: string | undefined;
  kvCache: boolean;
  force: boolean;
}

const TYPES: readonly NumberFormat[] = ["f32", "bf16", "f16", "q8_0", "q4_0"];

const options: OptionTableFor<ExportValues> = {
  model: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "A checkpoint or model folder, or a run's folder for its newest checkpoint.",
  },
  to: {
    type: "string",
    value: "gguf",
    doc: "gguf and onnx are a file; safetensors and c (model.c, weights.bin) a folder.",
    choices: exportTargets,
  },
  out: { type: "string?", value: undefined, placeholder: "PATH", doc: "What is written." },
  type: {
    type: "string?",
    value: undefined,
    doc: "Of the weights; absent = f32, for safetensors as they are stored, 8 bits as f32.",
    choices: TYPES,
  },
  kvCache: {
    type: "boolean",
    value: false,
    doc: "onnx: keys and values of the past go in and out.",
  },
  force: { type: "boolean", value: false, doc: "Replace what an earlier export wrote." },
};

export const command: Command<OptionTableFor<ExportValues>> = defineCommand({
  name: "export",
  summary: "a model as GGUF (llama.cpp), ONNX, Hugging Face folder or one C file",
  example: EXAMPLE,
  options,
  async run({ model: path, to, out, type, kvCache, force }, io) {
    for (const [flag, value] of Object.entries({ "--model": path, "--out": out }))
      if (value === undefined)
        throw new NutshellError("USAGE", `export: needs ${flag}, got none. Try: ${EXAMPLE}`);
    const target = out as string;
    const model = await openExportModel(path as string);
    const format = type as NumberFormat | undefined;
    const prepared = prepareExport(model, { to, format, cache: kvCache });
    const { bytes, notes } = prepared;
    using progress = new Progress(io, { label: "writing", total: bytes, unit: "bytes" });
    const onBytes = (done: number): void => progress.update(done);
    await prepared.write(target, { force, onBytes, signal: io.signal });
    progress.end();
    for (const note of notes) io.stderr(`${note}\n`);
    const result = { model: model.folder, to, type: type ?? null, out: target, bytes, notes };
    const told = `${target}: ${formatCount(bytes)} bytes`;
    io.stdout(`${io.json ? JSON.stringify(result) : told}\n`);
  },
});
