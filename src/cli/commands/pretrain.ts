/** `nutshell pretrain`: stage 1, a language model from raw text. */
import { readFileSync } from "node:fs";
import { NutshellError } from "../../error.ts";
import type { RunConfig } from "../../llm/pretrain/complete-config.ts";
import { type PretrainConfig, pretrainOptions } from "../../llm/pretrain/config.ts";
import { type PresetName, presets } from "../../llm/pretrain/presets.ts";
import { pretrain } from "../../llm/pretrain/pretrain.node.ts";
import { renderResult } from "../../llm/pretrain/result.ts";
import { findResumePoint, removeRun } from "../../llm/run/resume.node.ts";
import { createTalk, type Talk } from "../../llm/run/talk.ts";
import { type OptionLayer, type OptionTableFor, resolveOptions } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";

interface PretrainValues extends PretrainConfig {
  preset: PresetName;
  config: string | undefined;
  resume: boolean;
  fresh: boolean;
}

const presetNames = Object.keys(presets) as PresetName[];

const options: OptionTableFor<PretrainValues> = {
  preset: {
    type: "string",
    value: "laptop",
    choices: presetNames,
    doc: presetNames.map((name) => `${name}: ${presets[name].doc}`).join("; "),
  },
  config: {
    type: "string?",
    value: undefined,
    placeholder: "FILE",
    doc: "JSON with any of the keys below; goes over the preset, under the flags.",
  },
  resume: {
    type: "boolean",
    value: false,
    doc: "Go on with the run in --out, by its own configuration. A run of the same configuration is resumed without this.",
  },
  fresh: { type: "boolean", value: false, doc: "Remove the run in --out and start over." },
  ...pretrainOptions,
};

export const command: Command<OptionTableFor<PretrainValues>> = defineCommand({
  name: "pretrain",
  summary: "stage 1: grow a language model from raw text",
  example: "nutshell pretrain --preset tiny --data books/ --out runs/out/books",
  options,
  async run(values, io, { given }) {
    const talk = createTalk(io);
    const { preset, config: file, resume, fresh, ...flags } = given;
    if (resume && fresh)
      throw new NutshellError("USAGE", "pretrain: takes --resume or --fresh, got both. Drop one.");
    const layers: OptionLayer[] = [
      { from: `preset ${values.preset}`, values: presets[values.preset].values },
      ...(file === undefined ? [] : [{ from: file, values: readConfigFile(file) }]),
      { from: "flags", values: flags },
    ];
    const asked = resolveOptions(pretrainOptions, ...layers);
    if (fresh) removeRun(asked.out);
    const config = resume ? await storedConfig(asked.out, flags, talk) : asked;
    const result = await pretrain(config, talk, io.signal);
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : renderResult(result));
  },
});

/** @throws CONFIG when the file is not a JSON object */
function readConfigFile(file: string): Record<string, unknown> {
  const value = tryParse(file);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new NutshellError(
    "CONFIG",
    `${file}: a configuration must be a JSON object, got ${JSON.stringify(value)}. Check --config.`,
  );
}

function tryParse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new NutshellError(
      "CONFIG",
      `${file}: a configuration must be readable JSON, got ${(cause as Error).message}. ` +
        "Check --config.",
      { cause },
    );
  }
}

/** The configuration that the run in `out` was started with, under the flags given now. */
async function storedConfig(
  out: string,
  flags: Partial<PretrainConfig>,
  talk: Talk,
): Promise<PretrainConfig> {
  const found = await findResumePoint<RunConfig>(out, talk);
  if (found === undefined)
    throw new NutshellError(
      "CHECKPOINT",
      `${out}: --resume needs a run with a checkpoint, got none. Check --out, or drop --resume.`,
    );
  const stored = { from: `${out} as it was started`, values: { ...found.config } };
  return resolveOptions(pretrainOptions, stored, { from: "flags", values: flags });
}
