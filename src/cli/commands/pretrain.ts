/** `nutshell pretrain`: stage 1, a language model from raw text. */
import { type PretrainConfig, pretrainOptions } from "../../llm/pretrain/config.ts";
import { type PresetName, presets } from "../../llm/pretrain/presets.ts";
import { pretrain } from "../../llm/pretrain/pretrain.node.ts";
import { renderResult } from "../../llm/pretrain/result.ts";
import { createTalk } from "../../llm/run/talk.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { presetRow, readStageValues, type StageFlags, stageFlags } from "../stage/stage-values.ts";

interface Values extends StageFlags, PretrainConfig {
  preset: PresetName;
}

export const command: Command<OptionTableFor<Values>> = defineCommand({
  name: "pretrain",
  summary: "stage 1: grow a language model from raw text",
  example: "nutshell pretrain --preset tiny --data books/ --out runs/out/books",
  options: { preset: presetRow(presets, "laptop"), ...stageFlags, ...pretrainOptions },
  async run({ preset: name }, io, { given }) {
    const talk = createTalk(io);
    const preset = { name, ...presets[name] };
    const request = { command: "pretrain", table: pretrainOptions, preset, given };
    const config = await readStageValues<PretrainConfig>(request, talk);
    const result = await pretrain(config, talk, io.signal);
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : renderResult(result));
  },
});
